"""README and docs: links lead somewhere, commands are taken, and the README stays short."""

import re
import shlex
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from PIL import Image
from skimage.data import astronaut

from app import TINY, call, composed, sources
from latenthash.jobs.command.asked import completed
from latenthash.jobs.command.checks import check_evaluate, check_train
from latenthash.jobs.command.effects import check_effects, check_training_effects
from latenthash.jobs.command.sweeping import check_sweep, quote_paths
from latenthash.jobs.command.typed import as_typed
from latenthash.watermark.keys import make_key
from photographs import photo
from project import CONF, ROOT

README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, *DOCS]
WORDS = 1200  # of the README; more is not read
CODE = re.compile(r"(?m)^ {4}.*\n")  # a line of a block
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"(?m)(?:^ {4}.*\n|^\n(?=(?:\n)* {4}))+")  # with the empty lines within
COMMAND = re.compile(r"(?:(?:python )?(?=\w+\.py )|latenthash )(train|evaluate)(?:\.py)? (.+)")
FLAGS = ("-m", "--help", "--cfg", "job")  # Hydra's own


def read(page: Path) -> tuple[str, str]:
    """Split a page into its prose and its blocks of code."""
    text = page.read_text(encoding="utf-8")
    return CODE.sub("", text), "".join(CODE.findall(text))


def links(page: Path) -> list[tuple[str, Path, str]]:
    """List the relative links of a page: as written, the file, and the heading's anchor."""
    found = [link for link in LINK.findall(read(page)[0]) if "://" not in link]
    parts = [(link, *link.partition("#")[::2]) for link in found]
    return [(link, page.parent / name if name else page, anchor) for link, name, anchor in parts]


def anchors(page: Path) -> set[str]:
    """List the anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"(?m)^#+ (.+)$", read(page)[0])
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def commands(page: Path) -> list[str]:
    """List the commands of a page: lines of its blocks, and what its prose quotes."""
    prose, blocks = read(page)
    lines = [
        shlex.join(shlex.split(line, comments=True))
        for whole in blocks.replace("\\\n", " ").splitlines()
        for line in whole.split(" | ")
        if ".py " in line or line.lstrip().startswith("latenthash ")
    ]
    quoted = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]
    # `+experiment=...` stands for those of a table.
    found = [line for line in [*lines, *quoted] if COMMAND.fullmatch(line) and "=... " not in line]
    # Those with files of the user's own are run by a test.
    found = [line for line in found if "--config-dir" not in line]
    return [line.removeprefix("python ") for line in found]


def programs(page: Path) -> str:
    """Return the blocks of Python of a page, one after the other, as they are meant."""
    blocks = [dedent(block) for block in BLOCK.findall(page.read_text(encoding="utf-8"))]
    return "\n".join(block for block in blocks if not block.lstrip().startswith("python "))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    for link, target, anchor in links(page):
        assert target.resolve().is_relative_to(ROOT), link
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_readme_is_short_and_names_every_page() -> None:
    assert len(README.read_text(encoding="utf-8").split()) <= WORDS
    assert {target.resolve() for _, target, _ in links(README)} >= set(DOCS)


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.stem)
def test_page_shows_a_command(page: Path) -> None:
    assert "    python " in read(page)[1]


@pytest.mark.parametrize(
    "line", dict.fromkeys(line for page in PAGES for line in commands(page)), ids=str
)
def test_command_is_taken(line: str, tmp_path: Path) -> None:
    match = COMMAND.fullmatch(line)
    assert match is not None
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / name)
    # PATH, FOLDER and their like stand for a folder of pictures.
    words = [re.sub(r"=[A-Z][A-Z0-9_]+$", f"={tmp_path}", word) for word in shlex.split(match[2])]
    given = as_typed([word for word in words if word not in FLAGS])
    if "-m" in words:
        given = as_typed(["-m", *given])[1:]
        _take_sweep(given)
    elif match[1] == "train":
        cfg = composed(*given)
        check_train(cfg)
        check_training_effects(cfg, given)
    else:
        given = completed(given)
        cfg = composed(*given, root="evaluate")
        check_evaluate(cfg)
        check_effects(cfg.job._target_, given)


def test_programs_of_the_library_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = call("train.py", tmp_path, *TINY, *sources(tmp_path))  # what is loaded as `latest`
    assert done.code == 0, done.output
    for i, name in enumerate(("a.jpg", "b.jpg")):
        Image.fromarray(photo(4 * i).pixels).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("nothing")
    Image.fromarray(astronaut()).save(tmp_path / "a.jpg")  # large enough to bear a mark
    make_key(tmp_path / "me.pem")
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    text = programs(ROOT / "docs" / "api.md")
    assert text.count("latenthash.load(") == 3
    exec(compile(text, "docs/api.md", "exec"), {})
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].endswith(" False")
    assert [line.split()[0] for line in shown[1:4]] == ["a.jpg", "b.jpg", "notes.txt"]
    assert shown[3] == "notes.txt is not a picture that can be read."
    assert shown[4].split()[0] in ("True", "False")
    assert shown[5] == "verified True ()"
    assert shown[6].startswith("This is the picture that me (key ")
    assert (tmp_path / "out" / "a.jpg.latenthash.json").exists()
    assert (tmp_path / "why.png").stat().st_size > 0


def _take_sweep(given: list[str]) -> None:
    """Check a sweep as its command does, before its first job."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        cfg = hydra.compose_config("train", given, RunMode.MULTIRUN, with_log_configuration=False)
        HydraConfig.instance().set_config(cfg)
        quote_paths(cfg)
        check_sweep(cfg, "train")
