"""The scatter plot: what it shows is where it should be."""

from collections.abc import Mapping

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch

from figures import HASH, ROLES, circles, drawn, latents, legend
from latenthash import plots
from latenthash.hashing.enrolled import Hash, LatentSet
from latenthash.plots import Judged, Plane, Shown


def rows_of(z: Mapping[str, np.ndarray]) -> dict[str, LatentSet]:
    """Latents as rows, each of a picture of its own."""
    return {role: LatentSet(points, np.arange(len(points))) for role, points in z.items()}


def unseen_views(rows: LatentSet) -> Shown:
    """Views of one colour each, which tells the row."""
    views = np.zeros((len(rows.z), 4, 4, 3), np.uint8)
    views += np.arange(len(rows.z), dtype=np.uint8)[:, None, None, None]
    names = tuple(f"folder/picture {i}" for i in range(rows.picture.max() + 1))
    return Shown(views, rows.picture, names)


def scatter(
    sets: Mapping[str, LatentSet], hash_: Hash = HASH, title: str = "", unseen: Shown | None = None
) -> Figure:
    plane = Plane.of(np.concatenate([rows.z for rows in sets.values()]), hash_.centroid)
    judged = {
        role: Judged(rows.z, hash_.distances(rows.z) / hash_.radius, hash_.scores(rows))
        for role, rows in sets.items()
    }
    unseen = unseen or unseen_views(sets["unseen"])
    return drawn(plots.latent_scatter(judged, unseen, plane, hash_.radius, hash_.gate, title))


def dots(axes: Axes, size: float, colour: str, hollow: bool = False) -> np.ndarray:
    """Where dots of a size and a colour are drawn, sorted."""
    found = [np.empty((0, 2))]
    for c in axes.collections:
        faces, edges = c.get_facecolor(), c.get_edgecolor()
        is_hollow = len(faces) == 0 or to_hex(faces[0]) == "#ffffff"
        shown = edges if is_hollow else faces
        if len(shown) and c.get_sizes()[0] == size and is_hollow == hollow:  # type: ignore[attr-defined]
            found += [np.asarray(c.get_offsets())] * (to_hex(shown[0]) == to_hex(colour))
    points = np.concatenate(found)
    return points[np.lexsort(points.T)]


def by_place(points: np.ndarray) -> np.ndarray:
    return points[np.lexsort(points.T)]


def test_scatter_draws_each_set_in_its_colour_and_wrong_verdicts_large() -> None:
    sets = rows_of(latents())
    axes = scatter(sets, title="A title").axes[0]
    found = [str(c.get_label()).split(" (")[0] for c in axes.collections]
    assert {"Signal", "Noise edited", "Noise similar", "Unseen"} < set(found)
    count = 0
    for role, colour in ROLES.items():
        wrong = HASH.matches(sets[role]) == (role != "signal")
        count += wrong.sum()
        z = sets[role].z
        np.testing.assert_array_equal(dots(axes, 16, f"tab:{colour}"), by_place(z[~wrong]))
        np.testing.assert_array_equal(dots(axes, 40, f"tab:{colour}"), by_place(z[wrong]))
    assert count > 0
    assert axes.get_title() == "A title"


def test_scatter_draws_the_radius_around_the_centroid_as_a_true_circle() -> None:
    sets = rows_of(latents() | {"unseen": np.array([[9.0, 9.0]])})
    (axes,) = scatter(sets).axes
    (circle,) = circles(axes)
    assert circle.get_center() == (1.0, -2.0)
    assert circle.get_radius() == 1.5
    assert 0 < to_rgba(circle.get_facecolor())[3] < 0.2, "filled, and dots are seen through it"
    assert axes.get_aspect() == 1
    (cross,) = [line for line in axes.lines if line.get_label() == "centroid"]
    assert cross.get_xydata().tolist() == [[1.0, -2.0]]
    assert [text.get_text() for text in axes.texts] == ["no unseen picture matches"]


def test_scatter_shows_the_whole_circle_when_it_is_wider_than_the_points() -> None:
    axes = scatter(rows_of(latents()), Hash(np.array([1.0, -2.0]), 40.0)).axes[0]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert left <= -39
    assert right >= 41
    assert bottom <= -42
    assert top >= 38


def test_scatter_legend_counts_views_and_wrong_verdicts() -> None:
    sets = rows_of(latents())
    missed = int((~HASH.matches(sets["signal"])).sum())
    taken = int(sum(HASH.matches(sets[role]).sum() for role in list(ROLES)[1:]))
    entries = legend(scatter(sets))
    assert set(entries) == {
        "Signal (4)", "Noise edited (5)", "Noise similar (6)", "Unseen (7)", "R = 1.5", "centroid",
        f"large: wrong, {missed} of the Signal missed, {taken} of others matched",
    }  # fmt: skip
    assert len(entries) == 7


def test_rows_that_a_gate_keeps_out_of_the_disc_are_hollow() -> None:
    hash_ = Hash(np.zeros(2), 1.0, gate=2.0)
    # Three rows of each set: matching, within R but rebuilt badly, beyond R.
    sets = {
        role: LatentSet(
            np.array([[0.1, i], [0.2, i], [5.0, i]]), np.arange(3), np.array([1.0, 3.0, 3.0])
        )
        for role, i in zip(ROLES, (-0.3, -0.1, 0.1, 0.3), strict=True)
    }
    figure = scatter(sets, hash_)
    axes = figure.axes[0]
    for role, colour in ROLES.items():
        z, name = sets[role].z, f"tab:{colour}"
        own = role == "signal"
        right, wrong = (16, 40) if own else (40, 16)
        np.testing.assert_array_equal(dots(axes, right, name), z[:1])
        np.testing.assert_array_equal(dots(axes, wrong, name), z[2:])
        np.testing.assert_array_equal(dots(axes, wrong, name, hollow=True), z[1:2])
    assert "hollow: within R, but e > E = 2, no match" in legend(figure)
    assert "large: wrong, 2 of the Signal missed, 3 of others matched" in legend(figure)
    assert len(figure.axes) == 2, "the row that the gate keeps out is no picture inside"


def test_unseen_pictures_inside_stand_beside_the_map_with_a_line_to_their_place() -> None:
    # Pictures 0, 1, 0, 1, 2: all but row 3 and row 4 within 1.5 of the centroid.
    z = HASH.centroid + np.array([[1.0, 0], [0, 0.5], [0.2, 0.1], [3, 0], [0, -1.6]])
    rows = LatentSet(z, np.array([0, 1, 0, 1, 2]))
    axes, *beside = scatter(rows_of(latents()) | {"unseen": rows}).axes
    shown = {}
    for panel in beside:
        (line,) = [p for p in panel.get_children() if isinstance(p, ConnectionPatch)]
        row = int(np.asarray(panel.images[0].get_array())[0, 0, 0])
        shown[row] = panel.get_title()
        np.testing.assert_allclose(line.xy2, z[row])
        assert line.axesB is axes
    assert list(shown) == [1, 2, 0], "from above"
    assert list(shown.values()) == ["picture 1", "picture 0", "picture 0"]
    assert not axes.texts


def test_of_many_unseen_pictures_inside_each_is_shown_before_one_is_shown_twice() -> None:
    distances = np.linspace(0.1, 1.4, 14)
    rows = LatentSet(HASH.centroid + distances[:, None] * [0, 1], np.array([0] * 10 + [1, 1, 2, 3]))
    _, *beside = scatter(rows_of(latents()) | {"unseen": rows}).axes
    shown = [int(np.asarray(panel.images[0].get_array())[0, 0, 0]) for panel in beside]
    assert shown == [13, 12, 11, 10, 1, 0]


@pytest.mark.parametrize("k", [1, 5])
def test_scatter_of_another_size_projects_the_centroid_too(k: int) -> None:
    sets = rows_of(latents(k) | {"unseen": np.full((2, k), 50.0)})
    hash_ = Hash(np.arange(1.0, k + 1), 2.0)
    plane = Plane.of(np.concatenate([rows.z for rows in sets.values()]), hash_.centroid)
    (axes,) = scatter(sets, hash_).axes
    (circle,) = circles(axes)
    np.testing.assert_allclose(circle.get_center(), plane.project(hash_.centroid[None])[0])
    notes = [text.get_text() for text in axes.texts]
    assert notes.pop() == "no unseen picture matches"
    assert [note.startswith("projected from 5 dimensions") for note in notes] == [True] * (k == 5)


def test_scatter_title_and_names_are_drawn_as_they_are() -> None:
    sets = rows_of({"signal": np.eye(2), "unseen": HASH.centroid[None]})
    unseen = Shown(np.zeros((1, 4, 4, 3), np.uint8), np.zeros(1, int), (r"a/$\frac$寿",))
    figure = scatter(sets, HASH, r"Test latents of $\frac$寿", unseen)
    assert figure.axes[0].get_title() == "Test latents of $\\frac$\ufffd"
    assert figure.axes[1].get_title() == "$\\frac$\ufffd", "the font has no such letter"
