"""The tables: read back as they were written, and readable whatever the names."""

import io
import json
import os
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latenthash.hashing.enrolled import Hash, LatentSet
from latenthash.metrics.bootstrap import Measure
from latenthash.plots import Plane
from latenthash.report.tables import (
    centroid_table,
    figures_table,
    latents_table,
    read_figures,
    show,
    write_csv,
)

FIGURES = [
    Measure("test/tpr", 1 / 3, 0.1 + 0.2, 1.0, 30),
    Measure("test/fpr_unseen", 0.0, 0.0, 0.03, 100),
    Measure("separation/fisher", 1234.5678901234567, 5e-324, 1.7e308),
    Measure("separation/margin", 1.0, 1.0, 1.0),
]


# ---- one run ----


def test_table_holds_a_row_for_each_figure() -> None:
    table = figures_table(FIGURES)
    assert list(table.columns) == ["metric", "value", "low", "high", "trials", "text"]
    assert list(table["metric"]) == [figure.name for figure in FIGURES]
    assert table.loc[1, "text"] == "0 (< 0.03: none in 100)"
    assert table["trials"].isna().tolist() == [False, False, True, True]


def test_figures_survive_the_table() -> None:
    assert read_figures(figures_table(FIGURES)) == {f.name: f for f in FIGURES}


@pytest.mark.parametrize("kept", [slice(0, 4), slice(0, 2), slice(2, 4), slice(3, 4), slice(0, 0)])
def test_figures_survive_csv(kept: slice) -> None:
    written = FIGURES[kept]
    csv = figures_table(written).to_csv(index=False)
    read = read_figures(pd.read_csv(io.StringIO(csv)))
    assert list(read) == [figure.name for figure in written]
    for before, after in zip(written, read.values(), strict=True):
        assert after.trials == before.trials
        assert type(after.trials) is type(before.trials)
        assert after.text == before.text
        for name in ("value", "low", "high"):
            assert getattr(after, name) == pytest.approx(getattr(before, name), rel=1e-15)


def test_figures_of_an_older_version_are_read_by_the_names_of_now() -> None:
    old = [Measure("edits/blur/tpr", 0.5, 0.4, 0.6, 20), Measure("test/tpr", 1.0, 0.9, 1.0, 20)]
    assert list(read_figures(figures_table(old))) == ["edits/blur", "test/tpr"]


def test_centroid_has_a_row_for_each_dimension() -> None:
    table = centroid_table(Hash(np.array([7.0, -1.0]), 0.5))
    assert table.to_dict("list") == {"dimension": [0, 1], "value": [7.0, -1.0]}


def test_figures_survive_a_file_with_further_columns(tmp_path: Path) -> None:
    table = figures_table(FIGURES)
    table["trained"] = [0.1, np.nan, 0.2, 0.3]
    write_csv(table, tmp_path / "t.csv")
    assert list(read_figures(pd.read_csv(tmp_path / "t.csv"))) == [f.name for f in FIGURES]


def test_latents_table_says_where_everything_lies() -> None:
    hash_ = Hash(np.array([7.0, -1.0]), 0.5)
    rows = LatentSet(np.array([[7.0, 0.0], [2.0, 3.0]]), np.array([0, 4]))
    sets = {"signal": rows, "unseen": rows.take(np.array([1]))}
    table = latents_table(sets, hash_, Plane.of(rows.z, hash_.centroid))
    assert table["set"].tolist() == ["signal", "signal", "unseen", "centroid", "axes", "axes"]
    points = [[7, 0], [2, 3], [2, 3], [7, -1], [1, 0], [0, 1]]
    assert table[["x", "y"]].to_numpy().tolist() == points
    assert table["picture"].tolist() == [0, 4, 4, 0, 0, 1]
    assert set(table["radius"]) == {0.5}


def test_latents_of_many_dimensions_are_those_of_the_plane() -> None:
    rows = LatentSet(np.random.default_rng(0).normal(size=(9, 5)), np.zeros(9, dtype=np.int64))
    hash_ = Hash(rows.z.mean(0), 1.0)
    plane = Plane.of(rows.z, hash_.centroid)
    table = latents_table({"signal": rows}, hash_, plane)
    np.testing.assert_allclose(table[["x", "y"]].to_numpy()[:9], plane.project(rows.z))
    other = np.arange(5.0)  # as the centroid of another run
    axes = table[table["set"] == "axes"][["x", "y"]].to_numpy()
    np.testing.assert_allclose(other @ axes, plane.project(other[None])[0])


# ---- on the terminal and in files ----


@pytest.mark.parametrize("odd", ["[bold]x[/bold]", "x[/]", "0.9 [0.8, 1]", "a\\", ":smile:"])
def test_shown_table_keeps_brackets(odd: str, capsys: pytest.CaptureFixture[str]) -> None:
    show(pd.DataFrame({"file": [odd], odd: ["cell"]}), f"Table of {odd}")
    assert capsys.readouterr().out.count(odd) == 3  # title, head and cell


class Out(io.TextIOWrapper):
    """A standard output, of any encoding, watched or not."""

    def __init__(self, encoding: str, watched: bool = False) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self.watched = watched

    def isatty(self) -> bool:
        """Say whether it is watched."""
        return self.watched


def shown(
    table: pd.DataFrame, form: str = "table", encoding: str = "utf-8", columns: int | None = None
) -> bytes:
    """Show a table on a standard output; one with columns is a terminal."""
    out = Out(encoding, columns is not None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", out)
        patch.setenv("COLUMNS", str(columns or 80))
        patch.setenv("TERM", "xterm")
        show(table, "codes of run 1", form)
    written: bytes = out.buffer.getvalue()  # type: ignore[attr-defined]
    return written


CODE = "0123456789abcdef" * 4
CODES = pd.DataFrame({"file": ["寿司.png", "ü [x] two words.png"], "code": [CODE, CODE[::-1]]})


def test_rows_are_lines_where_nobody_watches() -> None:
    assert shown(CODES).decode().split("\n") == [
        "codes of run 1",
        "file                 code",
        f"寿司.png             {CODE}",  # a Chinese letter is as wide as two others
        f"ü [x] two words.png  {CODE[::-1]}",
        "",
    ]


@pytest.mark.parametrize("columns", [20, 77, 80, 89, 90, 200])
def test_code_is_never_folded_on_a_terminal(columns: int) -> None:
    text = shown(CODES, columns=columns).decode()
    assert CODE in text
    assert CODE[::-1] in text
    assert ("│" in text) == (columns >= 80), "a box where there is room, though words may wrap"


def test_text_with_spaces_is_wrapped_on_a_terminal() -> None:
    table = pd.DataFrame({"why": ["a sentence that has many short words in it " * 3]})
    text = shown(table, columns=40).decode()
    assert text.count("a sentence") == 3
    assert len(text.splitlines()) > 6
    assert "│" in text


def test_steering_names_are_escaped_wherever_they_are_shown() -> None:
    table = pd.DataFrame({"a\x1b[2J": ["caf\udce9\n\x1b[31m\u202e.png"]}, dtype=object)
    for form in ("table", "csv", "jsonl"):
        lines = shown(table, form).decode().rstrip("\n").split("\n")
        assert len(lines) == {"table": 3, "csv": 2, "jsonl": 1}[form]
        whole = "".join(lines)
        assert whole.isprintable()
        assert r"caf\udce9\n\x1b[31m\u202e.png" in whole.replace(r"\\", "\\")


@pytest.mark.parametrize("columns", [None, 200])
def test_any_encoding_of_standard_output_will_do(columns: int | None) -> None:
    text = shown(CODES, encoding="ascii", columns=columns)
    assert rb"\u5bff\u53f8.png" in text
    assert CODE.encode() in text


NUMBERS = pd.DataFrame(
    {
        "file": ["ü.png", "b, c.png"],
        "value": [1 / 3, np.nan],
        "low": [0.1 + 0.2, 5e-324],
        "trials": pd.array([30, None], dtype="Int64"),
        "match": [True, False],
    }
)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_programs_get_every_column_at_full_precision(encoding: str) -> None:
    assert shown(NUMBERS, "csv", encoding).decode().split("\n") == [
        "file,value,low,trials,match",
        "ü.png,0.3333333333333333,0.30000000000000004,30,True",
        '"b, c.png",,5e-324,,False',
        "",
    ]
    assert [json.loads(line) for line in shown(NUMBERS, "jsonl", encoding).splitlines()] == [
        {"file": "ü.png", "value": 1 / 3, "low": 0.1 + 0.2, "trials": 30, "match": True},
        {"file": "b, c.png", "value": None, "low": 5e-324, "trials": None, "match": False},
    ]


def test_text_is_a_line_a_row_with_tabs_between_cells() -> None:
    table = pd.DataFrame(
        {"file": ["a\tb\nc.png", "寿司 \x1b[1m.png"], "distance": [1 / 3, 2.0], "note": ["", "x y"]}
    )
    assert shown(table, "text", "ascii").decode().splitlines() == [
        "a\\tb\\nc.png\t0.3333333333333333\t",
        "寿司 \\x1b[1m.png\t2.0\tx y",
    ]


def test_run_goes_on_when_nobody_takes_what_it_shows(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sys.stdout", None)  # closed
    show(CODES, "codes")
    take, give = os.pipe()
    os.close(take)  # as head does when it has had enough
    with open(give, "w") as out:  # noqa: PTH123 # of a descriptor
        monkeypatch.setattr("sys.stdout", out)
        show(CODES, "codes", "csv")
    assert not caplog.records


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_full_standard_output_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Path("/dev/full").open("w") as out:
        monkeypatch.setattr("sys.stdout", out)
        show(CODES, "codes", "jsonl")
    assert "Standard output cannot be written to: No space left on device" in caplog.text


def test_csv_reads_back(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"file": ["a,b.png", 'say "hi".png', "two lines.png", "寿司 ü.png", "$x [y].png"],
         "distance": [0.1, 1 / 3, 5e-324, 1e22, 2.0]}
    )  # fmt: skip
    path = tmp_path / "new" / "folders" / "t.csv"
    write_csv(table, path)
    pd.testing.assert_frame_equal(pd.read_csv(path), table)
    assert [entry.name for entry in path.parent.iterdir()] == ["t.csv"]
    assert "寿司 ü.png" in path.read_text(encoding="utf-8")


def test_csv_escapes_names_that_are_not_utf8(tmp_path: Path) -> None:
    table = pd.DataFrame({"file": ["caf\udce9.png", "ok.png"]}, dtype=object)
    write_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes().split() == [b"file", rb"caf\udce9.png", b"ok.png"]


def test_row_of_a_csv_is_a_line(tmp_path: Path) -> None:
    table = pd.DataFrame({"two\nlines": ["a\r\nb\x1b[2J.png", "\u2028x.png"], "n": [1, 2]})
    write_csv(table, tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_text(encoding="utf-8")
    assert text.split("\n") == [r"two\nlines,n", r"a\r\nb\x1b[2J.png,1", r"\u2028x.png,2", ""]
    assert table.columns[0] == "two\nlines", "the table itself stays as it is"


def test_csv_replaces_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("older and much longer than what follows\n" * 100)
    write_csv(pd.DataFrame({"a": [1]}), path)
    assert path.read_bytes().split() == [b"a", b"1"]


def test_csv_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    write_csv(pd.DataFrame({"a": [1]}), path)

    class Stubborn:
        def __str__(self) -> str:
            assert path.read_bytes().split() == [b"a", b"1"], "seen before it is whole"
            raise OSError(28, "No space left on device")

    table = pd.DataFrame({"a": [*range(5000), Stubborn()]}, dtype=object)
    with pytest.raises(OSError, match="No space left"):
        write_csv(table, path)
    assert path.read_bytes().split() == [b"a", b"1"]
    assert list(tmp_path.iterdir()) == [path], "something was left behind"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_csv_has_the_permissions_of_any_other_file(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    write_csv(pd.DataFrame({"a": [1]}), tmp_path / "t.csv")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("other", "t.csv")}
    assert len(modes) == 1
