"""Which job of evaluate.py is run for what was typed."""

import pytest

from app import composed
from latenthash.jobs.command.asked import completed, with_job, with_peers
from latenthash.options.jobs import EVALUATE_JOBS
from project import CONF


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ([], None),
        (["run=latest"], None),
        (["run=latest", "pictures=x"], "matches"),
        (["pictures=x", "run=code"], "codes"),
        (["run=code", "run=latest", "pictures=x"], "matches"),  # Hydra takes the last
        (["benchmark=edits_v1", "pictures=x", "run=code"], "benchmark"),
        (["+benchmark=edits_v1"], "benchmark"),
        (["benchmark=edits_v1", "views_to=x"], "views"),
        (["benchmark=disc21", "pictures=x"], "field_sets"),
        (["benchmark=copydays", "pictures=x", "views_to=y"], "field_sets"),
        (["benchmark=null", "pictures=x"], "matches"),
        (["pictures=null"], None),
        (["hashes=[LH1-a,LH1-b]"], "hashes"),
        (["log=outputs/x", "pictures=y"], "log"),
        (["pictures=a=b.jpg", "--cfg", "job"], "matches"),
        (["pictures=two\nlines"], "matches"),
        (["--help"], None),
    ],
)
def test_option_asks_for_its_job(line: list[str], asked: str | None) -> None:
    completed = with_job(line)
    added = [argument for argument in completed if argument.startswith("job=")]
    assert added == ([f"job={asked}"] if asked else [])
    assert [argument for argument in completed if argument not in added] == line


def test_job_that_is_named_stays() -> None:
    assert with_job(["job=codes", "pictures=x"]) == ["job=codes", "pictures=x"]


def test_job_stands_beside_the_other_overrides() -> None:
    """Hydra's parser takes no overrides behind a flag when there were some before it."""
    assert with_job(["--cfg", "job", "pictures=x"]) == ["--cfg", "job", "pictures=x", "job=matches"]
    line = ["pictures=x", "run=latest", "--cfg", "job"]
    assert with_job(line) == ["pictures=x", "job=matches", *line[1:]]


MINE = "+peer@peers.mine=custom"


@pytest.mark.parametrize(
    ("line", "chosen"),
    [
        (["peers=[phash,pdq]"], ["phash", "pdq"]),
        (["peers=phash"], ["phash"]),
        (["peers=[ phash, mine ]", MINE], ["phash", "mine"]),
        ([MINE, "peers=[mine]"], ["mine"]),
        (["peers=[]"], []),
    ],
)
def test_peers_that_are_named_are_those_that_are_judged(line: list[str], chosen: list[str]) -> None:
    cfg = composed(*completed(line), root="evaluate")
    assert sorted(cfg.get("peers", {})) == sorted(chosen)


@pytest.mark.parametrize(
    "line", [["peers=null"], ["peers.phash.length=3"], ["peer=[phash]"], ["pictures=peers=[a]"]]
)
def test_other_options_stay(line: list[str]) -> None:
    assert with_peers(line) == line


@pytest.mark.parametrize(
    ("job", "unreadable"),
    [("held_out", "refuse"), ("matches", "skip"), ("codes", "skip"), ("benchmark", "refuse")],
)
def test_jobs_set_what_becomes_of_files_that_cannot_be_read(job: str, unreadable: str) -> None:
    assert composed(f"job={job}", root="evaluate").unreadable == unreadable
    assert composed(f"job={job}", "unreadable=refuse", root="evaluate").unreadable == "refuse"
    assert composed(f"job={job}", root="evaluate").reader.unreadable == unreadable


def test_every_job_has_a_file_that_its_target_names() -> None:
    files = {path.stem for path in (CONF / "job").glob("*.yaml")}
    targets = {str(composed(f"job={name}", root="evaluate").job._target_) for name in files}
    assert targets == set(EVALUATE_JOBS)
    assert {target.split(".")[-2] for target in EVALUATE_JOBS} == files
