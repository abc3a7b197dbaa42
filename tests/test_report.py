"""The tables: read back as they were written, and readable whatever the names."""

import io
import os
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from latenthash import report
from latenthash.bootstrap import Measure
from latenthash.hashing import Hash, LatentSet
from latenthash.plots import Plane
from latenthash.report import COSTS, HEADLINES, Row

FIGURES = [
    Measure("test/tpr", 1 / 3, 0.1 + 0.2, 1.0, 30),
    Measure("test/fpr_unseen", 0.0, 0.0, 0.03, 100),
    Measure("separation/fisher", 1234.5678901234567, 5e-324, 1.7e308),
    Measure("separation/margin", 1.0, 1.0, 1.0),
]


def figures(**values: float) -> dict[str, Measure]:
    return {
        f"test/{name}": Measure(f"test/{name}", v, v - 0.1, v, 50) for name, v in values.items()
    }


def run(
    name: str,
    status: str = "FINISHED",
    tpr: float | None = None,
    latents: pd.DataFrame | None = None,
    centroid: list[float] | None = None,
    **params: str,
) -> Row:
    found = {} if tpr is None else figures(tpr=tpr)
    z = None if centroid is None else np.array(centroid)
    return Row(name, status, params, found, {}, latents, z)


# ---- one run ----


def test_table_holds_a_row_for_each_figure() -> None:
    table = report.figures_table(FIGURES)
    assert list(table.columns) == ["metric", "value", "low", "high", "trials", "text"]
    assert list(table["metric"]) == [figure.name for figure in FIGURES]
    assert table.loc[1, "text"] == "0 (< 0.03: none in 100)"
    assert table["trials"].isna().tolist() == [False, False, True, True]


def test_figures_survive_the_table() -> None:
    assert report.read_figures(report.figures_table(FIGURES)) == {f.name: f for f in FIGURES}


@pytest.mark.parametrize("kept", [slice(0, 4), slice(0, 2), slice(2, 4), slice(3, 4), slice(0, 0)])
def test_figures_survive_csv(kept: slice) -> None:
    written = FIGURES[kept]
    csv = report.figures_table(written).to_csv(index=False)
    read = report.read_figures(pd.read_csv(io.StringIO(csv)))
    assert list(read) == [figure.name for figure in written]
    for before, after in zip(written, read.values(), strict=True):
        assert after.trials == before.trials
        assert type(after.trials) is type(before.trials)
        assert after.text == before.text
        for name in ("value", "low", "high"):
            assert getattr(after, name) == pytest.approx(getattr(before, name), rel=1e-15)


def test_figures_survive_a_file_with_further_columns(tmp_path: Path) -> None:
    table = report.figures_table(FIGURES)
    table["trained"] = [0.1, np.nan, 0.2, 0.3]
    report.write_csv(table, tmp_path / "t.csv")
    assert list(report.read_figures(pd.read_csv(tmp_path / "t.csv"))) == [f.name for f in FIGURES]


# ---- a sweep ----


def test_comparison_shows_the_parameters_that_differ_and_all_figures() -> None:
    rows = [
        Row(
            "a", "FINISHED", {"seed": "0", "k": "2", "size": "64"}, figures(tpr=0.9, eer=0.2),
            {"time/fit_seconds": 12.3456, "hash/bytes": 12.0}, None, None,
        ),
        run("b", tpr=0.8, seed="0", k="8", size="64"),
        run("c", "FAILED", seed="0", k="8", size="64", beta="1"),
    ]  # fmt: skip
    table = report.comparison_table(rows)
    assert list(table.columns) == ["run", "status", "k", "beta", *HEADLINES, "test/eer", *COSTS]
    assert table["time/fit_seconds"].tolist() == ["12.35", "", ""]
    assert table["hash/bytes"].tolist() == ["12", "", ""]
    assert table["run"].tolist() == ["a", "b", "c"]
    assert table["status"].tolist() == ["FINISHED", "FINISHED", "FAILED"]
    assert table["k"].tolist() == ["2", "8", "8"]
    assert table["beta"].tolist() == ["", "", "1"]
    assert table["test/tpr"].tolist() == ["0.9 [0.8, 0.9]", "0.8 [0.7, 0.8]", ""]
    assert table["test/eer"].tolist() == ["0.2 [0.1, 0.2]", "", ""]
    assert table["test/fpr_unseen"].tolist() == ["", "", ""]


@pytest.mark.parametrize("rows", [[], [run("only", "RUNNING", k="2")]])
def test_comparison_of_a_sweep_that_has_just_begun(rows: list[Row]) -> None:
    table = report.comparison_table(rows)
    assert list(table.columns) == ["run", "status", *HEADLINES, *COSTS]
    assert len(table) == len(rows)


def latents(centre: float) -> pd.DataFrame:
    hash_ = Hash(np.array([centre, -1.0]), 0.5)
    rows = LatentSet(np.array([[centre, 0.0], [2.0, 3.0]]), np.array([0, 4]))
    plane = Plane.of(rows.z, hash_.centroid)
    return report.latents_table({"signal": rows, "unseen": rows.take(np.array([1]))}, hash_, plane)


def test_latents_table_says_where_everything_lies() -> None:
    table = latents(7.0)
    assert table["set"].tolist() == ["signal", "signal", "unseen", "centroid", "axes", "axes"]
    points = [[7, 0], [2, 3], [2, 3], [7, -1], [1, 0], [0, 1]]
    assert table[["x", "y"]].to_numpy().tolist() == points
    assert table["picture"].tolist() == [0, 4, 4, 0, 0, 1]
    assert set(table["radius"]) == {0.5}


def test_latents_of_many_dimensions_are_those_of_the_plane() -> None:
    rows = LatentSet(np.random.default_rng(0).normal(size=(9, 5)), np.zeros(9, dtype=np.int64))
    hash_ = Hash(rows.z.mean(0), 1.0)
    plane = Plane.of(rows.z, hash_.centroid)
    table = report.latents_table({"signal": rows}, hash_, plane)
    np.testing.assert_allclose(table[["x", "y"]].to_numpy()[:9], plane.project(rows.z))
    other = np.arange(5.0)  # as the centroid of another run
    axes = table[table["set"] == "axes"][["x", "y"]].to_numpy()
    np.testing.assert_allclose(other @ axes, plane.project(other[None])[0])


def test_runs_that_differ_in_their_seed_alone_share_the_scatter_of_the_first() -> None:
    rows = [
        run("a-s0", tpr=0.9, latents=latents(1.0), model="a", seed="0"),
        run("a-s1", tpr=0.9, latents=latents(2.0), model="a", seed="1", **{"features.seed": "1"}),
        run("b-s0", "FAILED", model="b", seed="0"),
        # As it comes back from a file.
        run("b-s1", tpr=0.9, latents=reread(latents(3.0)), model="b", seed="1"),
    ]
    figure = report.comparison_figure(rows)
    titles = [axes.get_title() for axes in figure.axes if axes.patches]
    assert titles == ["a-s0", "b-s1"]
    centres = [axes.patches[0].get_center() for axes in figure.axes if axes.patches]
    assert centres == [(1.0, -1.0), (3.0, -1.0)]


def marks(figure: Figure, label: str) -> list[list[list[float]]]:
    """Give the points of a line of this label in each scatter plot."""
    return [
        [point for line in axes.lines if line.get_label() == label
         for point in line.get_xydata().tolist()]
        for axes in figure.axes if axes.patches
    ]  # fmt: skip


def test_scatter_shows_where_other_seeds_put_the_centroid_and_how_far_it_drifts() -> None:
    rows = [
        run("a-s0", tpr=0.9, latents=latents(1.0), centroid=[1, -1], model="a", seed="0"),
        run("a-s1", tpr=0.9, latents=latents(4.0), centroid=[4, -1], model="a", seed="1"),
        run("a-s2", tpr=0.9, latents=latents(1.0), centroid=[1, 3], model="a", seed="2"),
        run("b-s0", tpr=0.9, latents=latents(2.0), centroid=[2, -1], model="b", seed="0"),
    ]
    figure = report.comparison_figure(rows)
    figure.savefig(io.BytesIO(), format="png")
    assert marks(figure, "centroid, other seeds") == [[[4, -1], [1, 3]], []]
    first, second = (axes for axes in figure.axes if axes.patches)
    assert [text.get_text() for text in first.texts] == ["centroid drift over seeds 5, R = 0.5"]
    assert not second.texts


def test_latents_of_an_older_version_are_drawn_without_other_seeds() -> None:
    old = latents(1.0)
    old = old[old["set"] != "axes"]
    rows = [run(f"a-s{i}", tpr=0.9, latents=old, centroid=[i, -1.0], seed=str(i)) for i in range(2)]
    figure = report.comparison_figure(rows)
    assert marks(figure, "centroid") == [[[1, -1]]]
    assert marks(figure, "centroid, other seeds") == [[]]


def test_summary_puts_runs_together_that_differ_in_their_seed_alone() -> None:
    def row(name: str, centroid: list[float], tpr: float, edits: list[float], **params: str) -> Row:
        found = figures(tpr=tpr, fpr_unseen=1 - tpr, auroc_unseen=tpr / 2) | {
            f"edits/{i}/tpr": Measure(f"edits/{i}/tpr", v, v, v, 9) for i, v in enumerate(edits)
        }
        return Row(name, "FINISHED", params, found, {}, None, np.array(centroid))

    rows = [
        row("b-s0", [0, 0, 0], 0.9, [1, 0.5], model="b", seed="0"),
        row("a-s0", [5, 5, 5], 0.6, [1, 1], model="a", seed="0"),
        row("b-s1", [0, 3, 4], 0.7, [0.2, 0.7], model="b", seed="1", **{"features.seed": "1"}),
        run("a-s1", "FAILED", model="a", seed="1"),
    ]
    table = report.summary_table(rows).set_index("group")
    assert list(table.index) == ["b-s0 ... b-s1", "a-s0 ... a-s1 (FAILED)"]
    assert list(table["model"]) == ["b", "a"]
    assert list(table["runs"]) == ["2", "1 of 2"]
    b = table.iloc[0]
    for name, mean, worst in (
        ("test/tpr", 0.8, 0.7), ("test/fpr_unseen", 0.2, 0.3), ("test/auroc_unseen", 0.4, 0.35),
        ("edits", 0.6, 0.2),
    ):  # fmt: skip
        assert b[f"{name} mean"] == pytest.approx(mean)
        assert b[f"{name} worst"] == pytest.approx(worst)
    assert b["drift"] == pytest.approx(5)
    assert np.isnan(table.iloc[1]["drift"])
    assert table["test/fpr_noise_edited mean"].isna().all()


def test_summary_over_signals_is_one_row_and_measures_drift_within_each() -> None:
    rows = [
        run(f"{s}-s{seed}", tpr=0.9, centroid=[100.0 * i + (i + 1) * seed, 0],
            **{"data.signal": s, "seed": str(seed)})
        for i, s in enumerate("xy")
        for seed in (0, 1)
    ]  # fmt: skip
    (row,) = report.summary_table(rows, "data.signal").to_dict("records")
    assert row["group"] == "x-s0 ... y-s1"
    assert (row["runs"], row["drift"]) == ("4", 2)
    assert len(report.summary_table(rows)) == 2
    assert "data.signal" in report.summary_table(rows)


@pytest.mark.parametrize("rows", [[], [run("only", "RUNNING", k="2")]])
def test_summary_of_a_sweep_that_has_just_begun(
    rows: list[Row], capsys: pytest.CaptureFixture[str]
) -> None:
    table = report.summary_table(rows)
    assert len(table) == len(rows)
    report.show_summary(table)
    shown = capsys.readouterr().out
    assert "test/fpr_unseen worst" in shown
    assert "nan" not in shown


def reread(table: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(table.to_csv(index=False)))


def labels(rows: list[Row]) -> list[str]:
    figure = report.comparison_figure(rows)
    figure.savefig(io.BytesIO(), format="png")
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_labels_are_the_names_when_they_tell_the_runs_apart() -> None:
    rows = [run("a", tpr=0.9, k="2"), run("b", tpr=0.8, k="8")]
    assert labels(rows) == ["a", "b"]


def test_labels_name_what_differs_when_names_repeat() -> None:
    rows = [
        run("a", tpr=0.9, k="2", seed="0", size="64"),
        run("a", tpr=0.8, k="8", seed="0", size="64"),
        run("b", tpr=0.7, k="8", seed="1", size="64"),
        run("a", "FAILED", size="64"),
    ]
    assert labels(rows) == ["a k=2 seed=0", "a k=8 seed=0", "b k=8 seed=1", "a k= seed= (FAILED)"]


def test_label_of_a_run_without_figures_says_its_status() -> None:
    rows = [run("a", tpr=0.9), run("b", "FAILED"), run("c", "RUNNING")]
    assert labels(rows) == ["a", "b (FAILED)", "c (RUNNING)"]


def test_comparison_has_a_panel_for_each_headline() -> None:
    figure = report.comparison_figure([run("a", tpr=0.9)])
    assert [axes.get_title() for axes in figure.axes] == list(HEADLINES)


@pytest.mark.parametrize("name", ["cost in $", r"$\frac$", "a$b", "under_score^2", "100 %", "{}"])
def test_labels_are_drawn_as_they_are(name: str) -> None:
    rows = [run(name, tpr=0.9, path=name), run(name, tpr=0.8, path="other")]
    assert labels(rows) == [f"{name} path={name}", f"{name} path=other"]


# ---- on the terminal and in files ----


@pytest.mark.parametrize("odd", ["[bold]x[/bold]", "x[/]", "0.9 [0.8, 1]", "a\\", ":smile:"])
def test_shown_table_keeps_brackets(odd: str, capsys: pytest.CaptureFixture[str]) -> None:
    report.show(pd.DataFrame({"file": [odd], odd: ["cell"]}), f"Table of {odd}")
    assert capsys.readouterr().out.count(odd) == 3  # title, head and cell


def test_shown_table_escapes_names_that_are_not_utf8() -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    table = pd.DataFrame({"file": ["caf\udce9.png"], "match": [True]}, dtype=object)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", file)
        report.show(table, "matches")
        file.flush()
    assert rb"caf\udce9.png" in file.buffer.getvalue()  # type: ignore[attr-defined]


def test_csv_reads_back(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"file": ["a,b.png", 'say "hi".png', "two\nlines.png", "寿司 ü.png", "$x [y].png"],
         "distance": [0.1, 1 / 3, 5e-324, 1e22, 2.0]}
    )  # fmt: skip
    path = tmp_path / "new" / "folders" / "t.csv"
    report.write_csv(table, path)
    pd.testing.assert_frame_equal(pd.read_csv(path), table)
    assert [entry.name for entry in path.parent.iterdir()] == ["t.csv"]
    assert "寿司 ü.png" in path.read_text(encoding="utf-8")


def test_csv_escapes_names_that_are_not_utf8(tmp_path: Path) -> None:
    table = pd.DataFrame({"file": ["caf\udce9.png", "ok.png"]}, dtype=object)
    report.write_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes().split() == [b"file", rb"caf\udce9.png", b"ok.png"]


def test_csv_replaces_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("older and much longer than what follows\n" * 100)
    report.write_csv(pd.DataFrame({"a": [1]}), path)
    assert path.read_bytes().split() == [b"a", b"1"]


def test_csv_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    report.write_csv(pd.DataFrame({"a": [1]}), path)

    class Stubborn:
        def __str__(self) -> str:
            assert path.read_bytes().split() == [b"a", b"1"], "seen before it is whole"
            raise OSError(28, "No space left on device")

    table = pd.DataFrame({"a": [*range(5000), Stubborn()]}, dtype=object)
    with pytest.raises(OSError, match="No space left"):
        report.write_csv(table, path)
    assert path.read_bytes().split() == [b"a", b"1"]
    assert list(tmp_path.iterdir()) == [path], "something was left behind"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_csv_has_the_permissions_of_any_other_file(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    report.write_csv(pd.DataFrame({"a": [1]}), tmp_path / "t.csv")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("other", "t.csv")}
    assert len(modes) == 1
