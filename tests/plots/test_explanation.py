"""The figure of one verdict."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import HASH, circles, drawn, latents
from latenthash import plots
from latenthash.plots import Explanation, Plane
from latenthash.plots.style import LABELS


def explained(behind: Mapping[str, np.ndarray], radius: float = 1.5, **changes: Any) -> Figure:
    grey = np.full((8, 8, 3), 99, np.uint8)
    case = Explanation(
        name="folder/me.jpg",
        verdict="no match (d / R = 2)",
        view=grey,
        z=np.array([1.0, 1.0]),
        change=np.linspace(-1, 0.5, 64).reshape(8, 8),
        decoded=np.full((4, 4, 3), 0.25),
        nearest={"Signal": ("a/girl", grey + 1), "noise": ("b/plate_1", grey + 2)},
    )
    plane = Plane.of(np.eye(2), HASH.centroid)
    return drawn(plots.explanation(replace(case, **changes), behind, plane, radius))


def test_explanation_shows_all_that_led_to_the_verdict() -> None:
    figure = explained(latents())
    assert figure.get_suptitle() == "me.jpg: no match (d / R = 2)"
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
    bare = explained({}, decoded=None, nearest={}, change=np.zeros((8, 8)))
    assert len(bare.axes) == 4  # the picture, the heat map, its colour bar, the map
