"""How the rooms of the package depend on each other: imports between rooms, size of modules.

Command, a second: python benchmarks/house.py
"""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
PACKAGE = "latenthash"


def modules() -> dict[str, Path]:
    """List the modules of the package: dotted name -> file."""
    found = {}
    for path in sorted((SOURCE / PACKAGE).rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


def imported(path: Path) -> Iterator[str]:
    """List what a file imports, wherever in it, by dotted name; of `from a import b`, a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(name: str) -> str:
    """Name the room that a module, or a name in one, is in; the package itself has no name."""
    return name.split(".")[1] if "." in name else ""


def crossings() -> Counter[tuple[str, str]]:
    """Count the modules of each other room that modules of a room import: (who, whom) -> number.

    A module beside the rooms counts as a room. A module that is imported by two counts twice.
    """
    known = modules()
    pairs: Counter[tuple[str, str]] = Counter()
    for name, path in known.items():
        if not room(name):  # the package itself: its public names
            continue
        ours = {full for full in imported(path) if full.startswith(f"{PACKAGE}.")}
        targets = {full if full in known else full.rpartition(".")[0] for full in ours}
        pairs.update((room(name), room(t)) for t in targets if room(t) not in ("", room(name)))
    return pairs


def top_level() -> list[str]:
    """List the modules that are in no room."""
    return sorted(p.stem for p in (SOURCE / PACKAGE).glob("*.py") if p.stem != "__init__")


def main() -> None:
    """Print the counts, and each pair of rooms."""
    pairs = crossings()
    rooms = {p.name for p in (SOURCE / PACKAGE).iterdir() if (p / "__init__.py").exists()}
    between = [pair for pair in pairs if rooms.issuperset(pair)]
    words = len((ROOT / "README.md").read_text(encoding="utf-8").split())
    long = {n: len(p.read_text(encoding="utf-8").splitlines()) for n, p in modules().items()}
    print(f"{len(rooms)} rooms; modules beside them: {', '.join(top_level())}")
    print(f"{len(between)} times a room imports another room, whatever of it ({len(pairs)} with")
    print("  errors and cache, which are modules)")
    print(f"{sum(pairs.values())} times a module imports a module of another room")
    print(f"{words} words in the README")
    print("Over 250 lines:", ", ".join(f"{n} {k}" for n, k in long.items() if k > 250) or "none")
    for (who, whom), count in sorted(pairs.items()):
        print(f"{count:4} {who} -> {whom}")


if __name__ == "__main__":
    main()
