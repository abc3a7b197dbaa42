"""The figures: what they show is where it should be, and they are drawn without a warning."""

import io
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgba
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Circle, ConnectionPatch
from PIL import Image

from latenthash import plots
from latenthash.data.splits import ViewSet
from latenthash.hashing.enrolled import Hash, LatentSet
from latenthash.metrics.bootstrap import Measure
from latenthash.plots import Plane, Scatter
from latenthash.plots.latents import GRID
from latenthash.plots.style import LABELS

HASH = Hash(np.array([1.0, -2.0]), 1.5)
ROLES = {"signal": "red", "noise_edited": "green", "noise_similar": "blue", "unseen": "gray"}


def drawn(figure: Figure) -> Figure:
    """Draw a figure to PNG, as it is logged; warnings are errors in this suite."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=50)
    with Image.open(file) as image:
        assert image.format == "PNG"
        assert min(image.size) >= 50
    return figure


def latents(k: int = 2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {role: rng.normal(i, 1, (4 + i, k)) for i, role in enumerate(ROLES)}


def circles(axes: Axes) -> list[Circle]:
    return [patch for patch in axes.patches if isinstance(patch, Circle)]


def legend(figure: Figure) -> list[str]:
    (box,) = figure.legends
    return [text.get_text() for text in box.get_texts()]


# ---- the plane ----


@pytest.mark.parametrize("k", [2, 3, 5])
def test_projecting_what_was_lifted_changes_nothing(k: int) -> None:
    rng = np.random.default_rng(1)
    plane = Plane.of(rng.normal(size=(30, k)) * np.arange(1, k + 1), rng.normal(size=k))
    points = rng.normal(size=(20, 2)) * 10
    lifted = plane.lift(points)
    assert lifted.shape == (20, k)
    np.testing.assert_allclose(plane.project(lifted), points, atol=1e-12)


def test_line_is_its_own_plane_with_one_axis() -> None:
    plane = Plane.of(np.array([[1.0], [3.0]]), np.array([2.0]))
    np.testing.assert_array_equal(plane.project(np.array([[1.0], [4.0]])), [[1, 0], [4, 0]])
    np.testing.assert_array_equal(plane.lift(np.array([[1.0, 0.0], [4.0, 9.0]])), [[1], [4]])
    assert plane.axes_labels() == ("$z_0$", "")
    assert not plane.projected


def test_plane_of_two_dimensions_is_the_latent_space_itself() -> None:
    z = np.random.default_rng(2).normal(size=(10, 2)) * [1, 9]
    plane = Plane.of(z, HASH.centroid)
    np.testing.assert_array_equal(plane.project(z), z)
    np.testing.assert_allclose(plane.lift(z), z, atol=1e-12)
    assert plane.axes_labels() == ("$z_0$", "$z_1$")
    assert not plane.projected


@pytest.mark.parametrize("k", [1, 2, 5])
def test_plane_passes_through_the_centroid(k: int) -> None:
    rng = np.random.default_rng(3)
    centroid = rng.normal(size=k) * 5
    plane = Plane.of(rng.normal(size=(30, k)), centroid)
    np.testing.assert_allclose(plane.lift(plane.project(centroid[None])), centroid[None])


def test_plane_spans_the_directions_of_most_variance() -> None:
    rng = np.random.default_rng(4)
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    z = 7 + (rng.normal(size=(4000, 5)) * [0.1, 10, 0.2, 0.1, 3]) @ turn.T
    plane = Plane.of(z, np.zeros(5))
    assert plane.projected
    np.testing.assert_allclose(plane.basis.T @ plane.basis, np.eye(2), atol=1e-12)
    for axis, direction in ((0, turn[:, 1]), (1, turn[:, 4])):
        assert abs(plane.basis[:, axis] @ direction) == pytest.approx(1, abs=1e-3)
    assert "principal axis" in plane.axes_labels()[0]


def test_projection_never_lengthens_a_distance() -> None:
    rng = np.random.default_rng(5)
    z = rng.normal(size=(50, 5))
    plane = Plane.of(z, z.mean(0))
    flat = np.linalg.norm(plane.project(z) - plane.project(z.mean(0)[None]), axis=1)
    assert (flat <= np.linalg.norm(z - z.mean(0), axis=1) + 1e-12).all()


# ---- the scatter plot ----


def rows_of(z: Mapping[str, np.ndarray]) -> dict[str, LatentSet]:
    """Latents as rows, each of a picture of its own."""
    return {role: LatentSet(points, np.arange(len(points))) for role, points in z.items()}


def unseen_views(rows: LatentSet) -> ViewSet:
    """Views of one colour each, which tells the row."""
    views = torch.arange(len(rows.z), dtype=torch.uint8)[:, None, None, None].repeat(1, 4, 4, 3)
    names = tuple(f"folder/picture {i}" for i in range(rows.picture.max() + 1))
    return ViewSet(views, rows.picture, names)


def scatter(sets: Mapping[str, LatentSet], hash_: Hash = HASH, title: str = "") -> Figure:
    z = np.concatenate([rows.z for rows in sets.values()])
    plane = Plane.of(z, hash_.centroid)
    return drawn(plots.latent_scatter(sets, hash_, plane, title, unseen_views(sets["unseen"])))


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
    plane = Plane.of(np.eye(2), HASH.centroid)
    views = ViewSet(torch.zeros(1, 4, 4, 3, dtype=torch.uint8), np.zeros(1, int), (r"a/$\frac$寿",))
    figure = drawn(plots.latent_scatter(sets, HASH, plane, r"Test latents of $\frac$寿", views))
    assert figure.axes[0].get_title() == "Test latents of $\\frac$\ufffd"
    assert figure.axes[1].get_title() == "$\\frac$\ufffd", "the font has no such letter"


# ---- the explanation ----


def explained(**changes: Any) -> Figure:
    grey = np.full((8, 8, 3), 99, np.uint8)
    change = np.linspace(-1, 0.5, 64).reshape(8, 8)
    given: dict[str, Any] = {
        "name": "folder/me.jpg",
        "view": grey,
        "row": LatentSet(np.array([[1.0, 1.0]]), np.zeros(1, int), np.array([1.0])),
        "hash_": Hash(HASH.centroid, 1.5, gate=4.0),
        "plane": Plane.of(np.eye(2), HASH.centroid),
        "behind": latents(),
        "change": change,
        "decoded": np.full((4, 4, 3), 0.25),
        "nearest": {"Signal": ("a/girl", grey + 1), "noise": ("b/plate_1", grey + 2)},
    }
    return drawn(plots.explanation(**given | changes))


def test_explanation_shows_all_that_led_to_the_verdict() -> None:
    figure = explained()
    assert figure.get_suptitle() == "me.jpg: no match (d / R = 2, e / E = 0.25)"
    panels = {axes.get_title(): axes for axes in figure.axes}
    assert len(figure.axes) == 7  # the colour bar is one
    for title, value in {
        "as the hash sees it": 99, "reconstruction": 0.25, "nearest Signal view\ngirl": 100,
        "nearest noise view\nplate_1": 101,
    }.items():  # fmt: skip
        assert (np.asarray(panels[title].images[0].get_array()) == value).all()
    (heat,) = [axes for title, axes in panels.items() if title.startswith("what moved it")]
    np.testing.assert_allclose(heat.images[1].get_array(), np.linspace(-1, 0.5, 64).reshape(8, 8))
    assert heat.images[1].get_clim() == (-1, 1), "white is no change"
    assert "change of score" in [axes.get_ylabel() for axes in figure.axes]
    where = panels["where it landed"]
    (star,) = [line for line in where.lines if line.get_label() == "this picture"]
    assert star.get_xydata().tolist() == [[1.0, 1.0]]
    assert circles(where)[0].get_radius() == 1.5
    points = {str(c.get_label()): c.get_offsets() for c in where.collections}
    for role, z in latents().items():
        np.testing.assert_array_equal(points[LABELS[role]], z)


def test_explanation_does_without_what_there_is_not() -> None:
    bare = explained(
        behind={}, decoded=None, nearest={}, change=np.zeros((8, 8)), hash_=Hash(HASH.centroid, 4.0)
    )
    assert len(bare.axes) == 4  # the picture, the heat map, its colour bar, the map
    assert bare.get_suptitle() == "me.jpg: match (d / R = 0.75)"


# ---- the decoded map ----


def painter(plane: Plane, low: float, high: float) -> Callable[[np.ndarray], np.ndarray]:
    """A decoder whose pictures say in red and green where in the plane z lies.

    The upper half is marked in blue, to tell pictures that are upside down.
    """

    def decode(z: np.ndarray) -> np.ndarray:
        pictures = np.zeros((len(z), 4, 4, 3))
        pictures[..., :2] = ((plane.project(z) - low) / (high - low))[:, None, None]
        pictures[:, :2, :, 2] = 1
        return pictures

    return decode


def seen(axes: Axes, x: float, y: float) -> np.ndarray:
    """The colour that the image has at a point, as matplotlib itself finds it."""
    (image,) = axes.images
    event = SimpleNamespace(**dict(zip("xy", axes.transData.transform((x, y)), strict=True)))
    return np.asarray(image.get_cursor_data(event))  # type: ignore[arg-type]


@pytest.mark.parametrize("k", [2, 5])
def test_map_shows_each_picture_where_its_latent_lies(k: int) -> None:
    rng = np.random.default_rng(6)
    z = rng.normal(size=(40, k)) * 2 + np.arange(k)
    hash_ = Hash(z[:10].mean(0), 1.5)
    plane = Plane.of(z, hash_.centroid)
    (axes,) = drawn(plots.decoded_map(painter(plane, -30, 30), z, hash_, plane)).axes
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert right - left == pytest.approx(top - bottom), "the map is a square"
    cell = (right - left) / GRID
    for column in range(GRID):
        for row in range(GRID):
            x, y = left + (column + 0.5) * cell, bottom + (row + 0.5) * cell
            upper, lower = seen(axes, x, y + cell / 4), seen(axes, x, y - cell / 4)
            np.testing.assert_allclose(upper[:2] * 60 - 30, [x, y], atol=1e-9)
            np.testing.assert_allclose(lower[:2] * 60 - 30, [x, y], atol=1e-9)
            assert (upper[2], lower[2]) == (1, 0), "a picture is upside down"


def test_map_of_a_line_varies_along_it_alone() -> None:
    z, hash_ = np.array([[-3.0], [0.0], [5.0]]), Hash(np.array([1.0]), 0.5)
    plane = Plane.of(z, hash_.centroid)
    asked = []

    def decode(points: np.ndarray) -> np.ndarray:
        asked.append(points)
        return np.zeros((len(points), 4, 4, 3))

    drawn(plots.decoded_map(decode, z, hash_, plane))
    (points,) = asked
    np.testing.assert_allclose(np.unique(points.round(9)), np.linspace(-3, 5, GRID))


def test_map_covers_the_latents_and_the_circle() -> None:
    z = np.array([[-4.0, 0.0], [6.0, 1.0]])
    for hash_ in (HASH, Hash(np.array([3.0, 3.0]), 20.0)):
        plane = Plane.of(z, hash_.centroid)
        (axes,) = drawn(plots.decoded_map(painter(plane, -50, 50), z, hash_, plane)).axes
        points = np.vstack([z, hash_.centroid - hash_.radius, hash_.centroid + hash_.radius])
        for (low, high), values in ((axes.get_xlim(), points.T[0]), (axes.get_ylim(), points.T[1])):
            assert low < values.min()
            assert values.max() < high
        assert axes.images[0].get_extent() == [*axes.get_xlim(), *axes.get_ylim()]


def test_map_draws_the_circle_of_the_hash() -> None:
    z = np.array([[-4.0, 0.0], [6.0, 1.0]])
    plane = Plane.of(z, HASH.centroid)
    (axes,) = drawn(plots.decoded_map(painter(plane, -50, 50), z, HASH, plane)).axes
    assert len(circles(axes)) == 2  # red on white
    for circle in circles(axes):
        assert circle.get_center() == (1.0, -2.0)
        assert circle.get_radius() == 1.5
    assert to_rgba(circles(axes)[-1].get_edgecolor()) == to_rgba("tab:red")
    assert axes.get_aspect() == 1
    assert axes.lines[0].get_xydata().tolist() == [[1.0, -2.0]]


# ---- pictures ----


def tiles(figure: Figure, rows: int, columns: int) -> np.ndarray:
    """Cut a sheet of 4 x 4 px pictures into (rows, columns, 4, 4, 3)."""
    (axes,) = figure.axes
    canvas = np.asarray(axes.images[0].get_array())
    return canvas.reshape(rows, 4, columns, 4, 3).swapaxes(1, 2)


def row_labels(figure: Figure) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_reconstructions_lie_under_their_originals() -> None:
    rng = np.random.default_rng(7)
    rows = {
        role: (rng.random((n, 4, 4, 3)), rng.random((n, 4, 4, 3)))
        for role, n in (("signal", 5), ("unseen", 3))
    }
    figure = drawn(plots.reconstructions(rows))
    grid = tiles(figure, 4, 5)
    for i, (originals, decoded) in enumerate(rows.values()):
        np.testing.assert_array_equal(grid[2 * i, : len(originals)], originals)
        np.testing.assert_array_equal(grid[2 * i + 1, : len(decoded)], decoded)
    assert (grid[2:, 3:] == 1).all(), "where there is no picture the sheet is white"
    labels = ["Signal\nview", "Signal\ndecoded", "Unseen\nview", "Unseen\ndecoded"]
    assert row_labels(figure) == labels


@pytest.mark.parametrize("columns", [12, 3, 16])
def test_contact_sheet_shows_two_rows_of_each_set(columns: int) -> None:
    counts = {"signal": 30, "outliers": 5, "noise_similar": 1}
    rng = np.random.default_rng(8)
    sets = {role: rng.integers(0, 255, (n, 4, 4, 3), np.uint8) for role, n in counts.items()}
    figure = drawn(plots.contact_sheet(sets, columns))
    grid = tiles(figure, 6, columns)
    for i, views in enumerate(sets.values()):
        shown = grid[2 * i : 2 * i + 2].reshape(-1, 4, 4, 3)
        count = min(len(views), 2 * columns)
        np.testing.assert_allclose(shown[:count] * 255, views[:count])
        assert (shown[count:] == 1).all()
    assert row_labels(figure) == ["Signal\n(30)", "", "Outliers\n(5)", "", "Noise similar\n(1)", ""]


def test_prior_samples_lie_side_by_side_in_their_order() -> None:
    pictures = np.random.default_rng(9).random((7, 4, 4, 3)) * 1.5 - 0.25
    figure = drawn(plots.prior_samples(pictures, columns=3))
    grid = tiles(figure, 3, 3).reshape(9, 4, 4, 3)
    np.testing.assert_array_equal(grid[:7], pictures.clip(0, 1))
    assert (grid[7:] == 1).all(), "where there is no picture the sheet is white"
    assert row_labels(figure) == ["", "", ""]
    assert "prior" in figure.axes[0].get_title()


# ---- figures ----


def test_histogram_shows_the_shares_of_each_set() -> None:
    distances = {
        "signal": np.array([0.0, 1.0, 1.9, 2.0, 2.1]),
        "noise_edited": np.array([3.0, 1.0]),
        "noise_similar": np.linspace(2.5, 9, 40),
        "unseen": np.array([1e-9, 500.0, 1e5]),
    }
    figure = drawn(plots.distance_histogram(distances, 2.0))
    (axes,) = figure.axes
    filled = [container for container in axes.containers if isinstance(container, BarContainer)]
    assert len(filled) == 4
    for bars, (role, colour) in zip(filled, ROLES.items(), strict=True):
        assert sum(bar.get_height() for bar in bars.patches) == pytest.approx(1), role
        assert to_hex(bars.patches[0].get_facecolor()) == to_hex(f"tab:{colour}")
    (line,) = axes.lines
    assert set(line.get_xdata()) == {1}
    assert axes.get_xscale() == "log"
    assert set(legend(figure)) == {
        "Signal: 80.0% within R", "Noise edited: 50.0% within R", "Noise similar: 0.0% within R",
        "Unseen: 33.3% within R", "R",
    }  # fmt: skip


def test_histogram_puts_distances_into_the_right_bins() -> None:
    (axes,) = drawn(plots.distance_histogram({"signal": np.array([1.0, 8.0, 8.0, 8.0])}, 2.0)).axes
    tall = [bar for bar in axes.containers[0].patches if bar.get_height() > 0]
    assert [bar.get_height() for bar in tall] == pytest.approx([0.25, 0.75])
    for bar, scaled in zip(tall, (0.5, 4.0), strict=True):
        assert bar.get_x() <= scaled + 1e-9
        assert scaled <= bar.get_x() + bar.get_width() + 1e-9


def test_histogram_of_views_all_within_or_all_far_still_shows_r() -> None:
    for distance in (1e-3, 0.0, 1e4):
        figure = plots.distance_histogram({"signal": np.full(5, distance)}, 1.0)
        low, high = drawn(figure).axes[0].get_xlim()
        assert low < 1 < high


def test_edit_bars_are_ordered_and_have_their_intervals() -> None:
    edits = [
        Measure("edits/blur/tpr", 0.75, 0.5, 0.9, 20),
        Measure("edits/flip/tpr", 0.0, 0.0, 0.15, 20),
        Measure("edits/text/tpr", 1.0, 0.85, 1.0, 20),
    ]
    figure = drawn(plots.edit_bars(edits, Measure("test/tpr", 0.95, 0.9, 1.0, 50)))
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["flip", "blur", "text"]
    (bars,) = [container for container in axes.containers if isinstance(container, BarContainer)]
    assert [bar.get_width() for bar in bars.patches] == [0.0, 0.75, 1.0]
    (errors,) = bars.errorbar[2]
    spans = [segment[:, 0].tolist() for segment in errors.get_segments()]
    assert spans == [pytest.approx(ends) for ends in ([0, 0.15], [0.5, 0.9], [0.85, 1])]
    assert [text.get_text() for text in axes.texts] == ["0.00", "0.75", "1.00"]
    known = next(line for line in axes.lines if str(line.get_label()).startswith("known"))
    assert set(known.get_xdata()) == {0.95}
    assert legend(figure) == ["known edits: 0.95"]


@pytest.mark.parametrize("n", [0, 1, 40])
def test_edit_bars_of_any_number_are_drawn(n: int) -> None:
    edits = [Measure(f"edits/e{i}/tpr", 0.5, 0.4, 0.6, 20) for i in range(n)]
    (axes,) = drawn(plots.edit_bars(edits, Measure("test/tpr", 1.0, 0.9, 1.0, 50))).axes
    assert len(axes.texts) == n


def test_comparison_draws_each_run_on_its_line() -> None:
    first = {"a": Measure("a", 0.5, 0.4, 0.7), "b": Measure("b", 1.0, 0.9, 1.0)}
    rows = [("one", first), ("two (FAILED)", {}), ("three", {"a": Measure("a", 0.2, 0.2, 0.3)})]
    figure = drawn(plots.comparison([], rows, ["a", "b"]))
    left, right = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]
    labels = [label.get_text() for label in left.get_yticklabels()]
    assert labels == ["one", "two (FAILED)", "three"]
    assert _points(left) == [(0.5, 0, 0.4, 0.7), (0.2, 2, 0.2, 0.3)]
    assert _points(right) == [(1.0, 0, 0.9, 1.0)]
    bottom, top = left.get_ylim()
    assert bottom > top, "the first run is at the top"


def test_comparison_draws_the_scatter_of_each_run_above() -> None:
    scatters = [
        Scatter(f"run {i} of $x", latents(), np.array([i, -1.0]), 0.5 + i, np.ones((i, 2)), None)
        for i in range(2)
    ]
    rows = [("run", {"a": Measure("a", 0.5, 0.4, 0.7)})]
    figure = drawn(plots.comparison(scatters, rows, ["a"]))
    shown = [axes for axes in figure.axes if circles(axes)]
    for axes, scatter in zip(shown, scatters, strict=True):
        assert axes.get_title() == scatter.title
        (circle,) = circles(axes)
        assert circle.get_center() == tuple(scatter.centroid)
        assert circle.get_radius() == scatter.radius
        found = {str(dots.get_label()): dots for dots in axes.collections}
        assert set(found) == {LABELS[role] for role in ROLES}
        for role, colour in ROLES.items():
            dots = found[LABELS[role]]
            np.testing.assert_array_equal(dots.get_offsets(), scatter.points[role])
            assert to_hex(dots.get_facecolor()[0]) == to_hex(f"tab:{colour}")
    assert _points(figure.axes[-1]) == [(0.5, 0, 0.4, 0.7)]
    (box,) = figure.subfigs[0].legends
    named = [text.get_text() for text in box.get_texts()]
    assert "centroid, other seeds" in named, "what the first plot has not is in the legend too"
    assert len(set(named)) == len(named)


def test_interval_that_leaves_out_its_value_is_drawn() -> None:
    rows = [("odd", {"a": Measure("a", 0.5, 0.6, 0.7)})]
    (axes,) = drawn(plots.comparison([], rows, ["a"])).axes
    assert _points(axes) == [(0.5, 0, 0.5, 0.7)]


# ---- fine-tuning ----


def test_training_curves_show_every_epoch_of_both_phases() -> None:
    history = {
        "train_loss": [0.7, 0.4, 0.2], "val_loss": [0.6, 0.5, 0.55],
        "train_accuracy": [0.5, 0.9, 1.0], "val_accuracy": [0.6, 0.8, 0.7],
    }  # fmt: skip
    figure = drawn(plots.training_curves(history))
    loss, accuracy = figure.axes
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        assert axes.get_ylabel().startswith(name)
        assert axes.get_xlabel() == "epoch"
        lines = {str(line.get_label()): line for line in axes.lines}
        assert set(lines) == {"training views", "validation views"}
        for phase, label in (("train", "training views"), ("val", "validation views")):
            x, y = lines[label].get_data()
            assert list(x) == [1, 2, 3]
            assert list(y) == history[f"{phase}_{name}"]
        assert axes.get_legend() is not None
        assert all(float(tick).is_integer() for tick in axes.get_xticks())
    assert "nats" in loss.get_ylabel()


def test_training_curve_of_a_single_epoch_is_drawn() -> None:
    names = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
    figure = drawn(plots.training_curves({name: [0.5] for name in names}))
    for axes in figure.axes:
        for line in axes.lines:
            assert line.get_xydata().tolist() == [[1, 0.5]]
            assert line.get_marker() == "o", "a point alone is seen by its marker only"


def test_confusion_shows_counts_under_the_answers_and_beside_the_sets() -> None:
    answers = {
        "signal": np.array([1, 9]), "noise_edited": np.array([8, 0]), "outliers": np.array([6, 2]),
    }  # fmt: skip
    (axes,) = drawn(plots.confusion(answers)).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["Noise", "Signal"]
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows == ["Signal", "Noise edited", "Outliers"]
    numbers = {text.get_position(): text.get_text() for text in axes.texts}
    assert numbers == {
        (column, row): str(count)
        for row, counts in enumerate(answers.values())
        for column, count in enumerate(counts)
    }
    (image,) = axes.images
    np.testing.assert_allclose(image.get_array(), [[0.1, 0.9], [1, 0], [0.75, 0.25]])
    assert image.get_clim() == (0, 1)
    bottom, top = axes.get_ylim()
    assert bottom > top, "the first set is at the top"
    for text in axes.texts:
        x, y = text.get_position()
        share = image.get_array()[int(y), int(x)]
        assert to_hex(text.get_color()) == to_hex("white" if share > 0.5 else "black")


def _points(axes: Axes) -> list[tuple[float, ...]]:
    """Value, line and interval of each figure in a panel."""
    found = []
    for container in axes.containers:
        dot, _, (bar,) = container.lines
        ends = bar.get_segments()[0][:, 0]
        found.append((dot.get_xdata()[0], dot.get_ydata()[0], *(round(x, 9) for x in ends)))
    return found


# ---- the benchmark ----


EDITS = pd.DataFrame(
    {
        "edit": ["jpeg_90", "jpeg_10", "flip"],
        "family": ["jpeg", "jpeg", "flip"],
        "strength": [90.0, 10, np.nan],
        "unit": ["quality", "quality", ""],
        "a": [1.0, 0.25, 0.5],
        "b": [0.75, 0.125, 0.0],
    }
)


def test_heat_map_shows_every_share() -> None:
    figure = drawn(plots.edit_heatmap(EDITS, "title"))
    axes = figure.axes[0]
    (image,) = axes.images
    np.testing.assert_array_equal(image.get_array(), EDITS[["a", "b"]])
    assert [text.get_text() for text in axes.texts] == [
        "1.00", "0.75", "0.25", "0.12", "0.50", "0.00"
    ]  # fmt: skip
    assert [label.get_text() for label in axes.get_yticklabels()] == EDITS["edit"].tolist()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b"]


def test_curves_are_of_families_with_several_strengths() -> None:
    figure = drawn(plots.strength_curves(EDITS, "title"))
    panels = [axes for axes in figure.axes if axes.get_title()]
    (axes,) = panels
    assert (axes.get_title(), axes.get_xlabel()) == ("jpeg", "quality")
    for line, code in zip(axes.lines, ["a", "b"], strict=False):
        assert line.get_xdata().tolist() == [90, 10]
        assert line.get_ydata().tolist() == EDITS[code].tolist()[:2]
    assert legend(figure) == ["a", "b"]


def test_pairs_stand_one_above_the_other_with_names_that_are_no_formulas() -> None:
    dark, light = np.zeros((8, 9, 3), np.uint8), np.full((5, 5, 3), 200, np.uint8)
    figure = drawn(plots.nearest_impostors([("$x$.png\n寿", dark, light)], "title"))
    above, below = figure.axes
    assert above.get_title() == "$x$.png\n\ufffd"
    np.testing.assert_array_equal(above.images[0].get_array(), dark)
    np.testing.assert_array_equal(below.images[0].get_array(), light)
