"""A sweep's runs side by side."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from latenthash.hashing.enrolled import Hash, LatentSet
from latenthash.metrics.bootstrap import Measure
from latenthash.plots import Plane
from latenthash.report import comparison
from latenthash.report.comparison import COSTS, HEADLINES, Row
from latenthash.report.tables import latents_table


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


def test_comparison_shows_the_parameters_that_differ_and_all_figures() -> None:
    rows = [
        Row(
            "a", "FINISHED", {"seed": "0", "k": "2", "size": "64"}, figures(tpr=0.9, eer=0.2),
            {"time/fit_seconds": 12.3456, "hash/bytes": 12.0}, None, None,
        ),
        run("b", tpr=0.8, seed="0", k="8", size="64"),
        run("c", "FAILED", seed="0", k="8", size="64", beta="1"),
    ]  # fmt: skip
    table = comparison.comparison_table(rows)
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
    table = comparison.comparison_table(rows)
    assert list(table.columns) == ["run", "status", *HEADLINES, *COSTS]
    assert len(table) == len(rows)


def latents(centre: float) -> pd.DataFrame:
    hash_ = Hash(np.array([centre, -1.0]), 0.5)
    rows = LatentSet(np.array([[centre, 0.0], [2.0, 3.0]]), np.array([0, 4]))
    plane = Plane.of(rows.z, hash_.centroid)
    return latents_table({"signal": rows, "unseen": rows.take(np.array([1]))}, hash_, plane)


def test_runs_that_differ_in_their_seed_alone_share_the_scatter_of_the_first() -> None:
    rows = [
        run("a-s0", tpr=0.9, latents=latents(1.0), model="a", seed="0"),
        run("a-s1", tpr=0.9, latents=latents(2.0), model="a", seed="1", **{"features.seed": "1"}),
        run("b-s0", "FAILED", model="b", seed="0"),
        # As it comes back from a file.
        run("b-s1", tpr=0.9, latents=reread(latents(3.0)), model="b", seed="1"),
    ]
    figure = comparison.comparison_figure(rows)
    titles = [axes.get_title() for axes in figure.axes if axes.patches]
    assert titles == ["a-s0", "b-s1"]
    centres = [axes.patches[0].get_center() for axes in figure.axes if axes.patches]
    assert centres == [(1.0, -1.0), (3.0, -1.0)]


def marks(figure: Figure, label: str) -> list[list[list[float]]]:
    """Return the points of a line of this label in each scatter plot."""
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
    figure = comparison.comparison_figure(rows)
    figure.savefig(io.BytesIO(), format="png")
    assert marks(figure, "centroid, other seeds") == [[[4, -1], [1, 3]], []]
    first, second = (axes for axes in figure.axes if axes.patches)
    assert [text.get_text() for text in first.texts] == ["centroid drift over seeds 5, R = 0.5"]
    assert not second.texts


def test_latents_of_an_older_version_are_drawn_without_other_seeds() -> None:
    old = latents(1.0)
    old = old[old["set"] != "axes"]
    rows = [run(f"a-s{i}", tpr=0.9, latents=old, centroid=[i, -1.0], seed=str(i)) for i in range(2)]
    figure = comparison.comparison_figure(rows)
    assert marks(figure, "centroid") == [[[1, -1]]]
    assert marks(figure, "centroid, other seeds") == [[]]


def test_summary_puts_runs_together_that_differ_in_their_seed_alone() -> None:
    def row(name: str, centroid: list[float], tpr: float, edits: list[float], **params: str) -> Row:
        found = figures(tpr=tpr, fpr_unseen=1 - tpr, auroc_unseen=tpr / 2) | {
            f"edits/{i}": Measure(f"edits/{i}", v, v, v, 9) for i, v in enumerate(edits)
        }
        return Row(name, "FINISHED", params, found, {}, None, np.array(centroid))

    rows = [
        row("b-s0", [0, 0, 0], 0.9, [1, 0.5], model="b", seed="0"),
        row("a-s0", [5, 5, 5], 0.6, [1, 1], model="a", seed="0"),
        row("b-s1", [0, 3, 4], 0.7, [0.2, 0.7], model="b", seed="1", **{"features.seed": "1"}),
        run("a-s1", "FAILED", model="a", seed="1"),
    ]
    table = comparison.summary_table(rows).set_index("group")
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


def test_note_of_a_sweep_has_its_groups_and_its_runs() -> None:
    rows = [
        run("a|0", tpr=0.9, seed="0"),
        run("a|1", tpr=0.8, seed="1"),
        run("b", "FAILED", seed="1", **{f"p{i}": "x" for i in range(comparison.FEW)}),
    ]
    note = comparison.sweep_note(rows, comparison.summary_table(rows)).replace("&ensp;", "")
    head = "TPR | FPR edited | FPR similar | FPR unseen |"
    assert note.split("\n\n") == [
        "Mean (and worst) of runs that belong together:",
        f"| group | runs | {head} drift |\n| --- | --- | --- | --- | --- | --- | --- |\n"
        "| a\\|0 ... a\\|1 | 2 | 0.85 (0.8) |  |  |  |  |\n"
        "| b (FAILED) | 0 of 1 |  |  |  |  |  |",
        "Each run:",
        f"| run | {head}\n| --- | --- | --- | --- | --- |\n| a\\|0 | 0.9 |  |  |  |\n"
        "| a\\|1 | 0.8 |  |  |  |\n| b (FAILED) |  |  |  |  |",
    ]
    rows = [run("a", tpr=0.9, k="2"), run("b", tpr=0.8, k="8")]
    note = comparison.sweep_note(rows, comparison.summary_table(rows)).replace("&ensp;", "")
    assert note.endswith("| a | 2 | 0.9 |  |  |  |\n| b | 8 | 0.8 |  |  |  |")
    assert "group" not in note


def test_summary_over_signals_is_one_row_and_measures_drift_within_each() -> None:
    rows = [
        run(f"{s}-s{seed}", tpr=0.9, centroid=[100.0 * i + (i + 1) * seed, 0],
            **{"data.signal": s, "seed": str(seed)})
        for i, s in enumerate("xy")
        for seed in (0, 1)
    ]  # fmt: skip
    (row,) = comparison.summary_table(rows, "data.signal").to_dict("records")
    assert row["group"] == "x-s0 ... y-s1"
    assert (row["runs"], row["drift"]) == ("4", 2)
    assert len(comparison.summary_table(rows)) == 2
    assert "data.signal" in comparison.summary_table(rows)


@pytest.mark.parametrize("rows", [[], [run("only", "RUNNING", k="2")]])
def test_summary_of_a_sweep_that_has_just_begun(
    rows: list[Row], capsys: pytest.CaptureFixture[str]
) -> None:
    table = comparison.summary_table(rows)
    assert len(table) == len(rows)
    comparison.show_summary(table)
    shown = capsys.readouterr().out
    assert "test/fpr_unseen worst" in shown
    assert "nan" not in shown


def reread(table: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(table.to_csv(index=False)))


def labels(rows: list[Row]) -> list[str]:
    figure = comparison.comparison_figure(rows)
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
    figure = comparison.comparison_figure([run("a", tpr=0.9)])
    assert [axes.get_title() for axes in figure.axes] == list(HEADLINES)


@pytest.mark.parametrize("name", ["cost in $", r"$\frac$", "a$b", "under_score^2", "100 %", "{}"])
def test_labels_are_drawn_as_they_are(name: str) -> None:
    rows = [run(name, tpr=0.9, path=name), run(name, tpr=0.8, path="other")]
    assert labels(rows) == [f"{name} path={name}", f"{name} path=other"]


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("data.signal", "/home/me/girl/me.png", "me.png"),
        ("data.signal", "photos/me.png", "photos/me.png"),
        ("data.signal", "embedded:girl", "embedded:girl"),
        ("features.weights", "../mine/w.pth", "w.pth"),
        ("model.latent_dim", "2", "2"),
        ("data.file", None, ""),
    ],
)
def test_tables_show_paths_without_the_folders_of_the_machine(
    key: str, value: str | None, shown: str
) -> None:
    params = {} if value is None else {key: value}
    row = Row("a", "FINISHED", params, {}, {}, None, None)
    assert row.shown(key) == shown
