"""How near codes of different photographs come: what ships with a code, and whether it holds.

Command, for a folder of photographs that the code was not trained on (400 take 10 minutes on 2
cores; what was described is kept in .cache/printable, as by benchmarks/printable_code.py):
    .venv/bin/python benchmarks/impostors.py PATH [RUN]

Writes src/latenthash/shipped/RUN/impostors.json. What is promised from some of the photographs is
then held against pairs of the others, which nothing was chosen by: of random halves, and of 40
against the rest, where most of the rates are extrapolated.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from printable_code import edited_codes
from rich.console import Console

from latenthash.gallery.impostors import Impostors, measure, pair_counts
from latenthash.options.jobs import SHIPPED

PLACE = Path(__file__).parent.parent / "src" / "latenthash" / "shipped"
RATES = (1e-2, 1e-3, 1e-4, 1e-5)
DRAWS = 200
SIZES = (10**3, 10**4, 10**5, 10**6, 10**7)
EXPECTED = (0.01, 0.1, 1.0)  # false matches of a query
OF = "photographs that the code was not trained on"


def main() -> None:
    """Write the distances, and print what follows from them and how it was kept."""
    run = sys.argv[2] if len(sys.argv) > 2 else SHIPPED
    tag, _, bits = edited_codes(sys.argv[1], run)
    found = measure(tag, bits, np.arange(len(bits)), OF)
    found.write(PLACE / run)
    report(found, tag, bits, Console(soft_wrap=True, markup=False))


def report(found: Impostors, tag: bytes, bits: NDArray[np.uint8], out: Console) -> None:
    """Print the distances that follow, and how often promises were kept.

    Args:
        found: what was measured of all photographs.
        tag: of the code.
        bits: (P, 1 + E, 32), of all of them.
        out: where to.
    """
    start, exponent = found.tail
    out.print(
        f"tag {found.tag}: {found.pictures} photographs, {found.pairs:,} pairs, which support "
        f"{found.supported:.1e}; tail from {start} bits, exponent at least {exponent:.2f}"
    )
    own = np.bitwise_count(bits[:, 1:] ^ bits[:, :1]).sum(-1)
    out.print("\n| pictures | " + " | ".join(f"{e:g} false matches" for e in EXPECTED) + " |")
    out.print("|---|" + "---|" * len(EXPECTED))
    for size in SIZES:
        limits = [found.limit(expected, size) for expected in EXPECTED]
        cells = [f"{limit} ({np.mean(own <= limit):.2f})" for limit in limits]
        out.print(f"| {size:,} | {' | '.join(cells)} |")
    for taken in (len(bits) // 2, 40):
        out.print(f"\n{taken} photographs promise, {len(bits) - taken} are held out, {DRAWS} draws")
        out.print("| rate promised | limit | rate of the others | draws in which it was more |")
        out.print("|---|---|---|---|")
        for line in held_out(tag, bits, taken):
            out.print(line)


def held_out(tag: bytes, bits: NDArray[np.uint8], taken: int) -> list[str]:
    """Compare what some photographs promise with pairs of the others, a line a rate.

    Args:
        tag: of the code.
        bits: (P, 1 + E, 32).
        taken: photographs that promise.
    """
    rng = np.random.default_rng(0)
    limits, kept = np.zeros((2, DRAWS, len(RATES)))
    for draw in range(DRAWS):
        order = rng.permutation(len(bits))
        some, others = bits[order[:taken]], bits[order[taken:]]
        promised = measure(tag, some, np.arange(taken), OF)
        counts = pair_counts(others[:, 1:], others[:, 0], ~np.eye(len(others), dtype=np.bool_))
        shares = np.append(counts.cumsum() / counts.sum(), 0.0)  # within -1 bits is none
        limits[draw] = [promised.limit(rate, 1) for rate in RATES]
        kept[draw] = shares[limits[draw].astype(int)]
    return [
        f"| {rate:g} | {limits[:, i].mean():.0f} | {kept[:, i].mean():.1e} | "
        f"{np.mean(kept[:, i] > rate):.0%} |"
        for i, rate in enumerate(RATES)
    ]


if __name__ == "__main__":
    main()
