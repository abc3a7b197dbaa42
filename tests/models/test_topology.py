"""Topology hash: maps of known homology, stability, refusals."""

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from gudhi import CubicalComplex
from hydra.utils import instantiate
from numpy.typing import NDArray
from omegaconf import OmegaConf
from safetensors.torch import load, save
from torch import Tensor

from latenthash.errors import InputError
from latenthash.features.interface import FeatureSet
from latenthash.models.components.persistence import (
    cubical_diagram,
    lifetimes,
    on_all_cores,
)
from latenthash.models.topology import Topology
from latenthash.plots import persistence_diagrams
from project import CONF

SHAPE = (4, 8, 9)
ARGS = {"shape": SHAPE, "latent_dim": 3, "ridge": 0.1}
TRAINER = pl.Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")

Maps = NDArray[np.float32]


def peaks() -> Maps:
    """A peak of 1 and one of .6, joined by a ridge whose lowest point is .2."""
    picture = np.zeros((8, 8), np.float32)
    picture[3, 1:6] = [1, 0.5, 0.2, 0.4, 0.6]
    return picture


def ring() -> Maps:
    """A ring of .8 around a hole of .1."""
    picture = np.zeros((8, 8), np.float32)
    picture[2:6, 2:6] = 0.8
    picture[3:5, 3:5] = 0.1
    return picture


def model(**changes: object) -> Topology:
    return Topology(**(ARGS | changes))  # type: ignore[arg-type]


def maps(n: int, seed: int = 0) -> Tensor:
    """Random rectified maps, smooth enough to have wide peaks."""
    noise = torch.randn(n, *SHAPE, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.avg_pool2d(noise, 3, stride=1, padding=1).relu()


def sets() -> dict[str, FeatureSet]:
    """Eight pictures of outliers, and five views of each that differ a little."""
    x = maps(8).repeat(5, 1, 1, 1) + 0.2 * maps(40, 1)
    outliers = FeatureSet(x, np.arange(40) % 8)
    return {"signal": FeatureSet(maps(6, 2), np.zeros(6, dtype=np.int64)), "outliers": outliers}


def fitted(train: dict[str, FeatureSet] | None = None, **changes: object) -> Topology:
    topology = model(**changes)
    topology.fit(train or sets(), {}, TRAINER)
    return topology


def test_two_peaks_live_apart_until_their_valley() -> None:
    diagram = cubical_diagram(peaks()[None])
    np.testing.assert_allclose(diagram, [[0, 0, -0.6, -0.2]], atol=1e-6)
    np.testing.assert_allclose(lifetimes(diagram, 1), [0.4, 0, 0], atol=1e-6)


def test_a_ring_lives_until_its_hole_is_filled() -> None:
    # Alone, its .8 is the picture's maximum: born at level 1, filled at 1/8.
    diagram = cubical_diagram(ring()[None])
    np.testing.assert_allclose(diagram, [[0, 1, -1, -0.125]], atol=1e-6)
    np.testing.assert_allclose(lifetimes(diagram, 1), [0, 0, 0.875], atol=1e-6)


def test_levels_are_shares_of_the_pictures_maximum_not_the_maps() -> None:
    picture = np.stack([ring(), peaks(), 0 * ring()])
    expected = [0, 0, 0.7, 0.4, 0, 0, 0, 0, 0]
    for scale in (1, 5, 0.01):
        found = lifetimes(cubical_diagram(scale * picture), 3)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_longest_lifetimes_come_first_in_every_channel() -> None:
    diagram = np.array(
        [
            [2, 0, 0, 0.1], [0, 0, 0, 0.2], [2, 0, 0.1, 0.8], [2, 0, 0, 0.5], [2, 1, 0, 0.3],
            [2, 1, 0, 0.6], [0, 1, 0.5, 0.9],
        ]
    )  # fmt: skip
    expected = [[0.2, 0, 0.4], [0, 0, 0], [0.7, 0.5, 0.6]]
    np.testing.assert_allclose(lifetimes(diagram, 3), np.ravel(expected))


def test_cubical_diagrams_against_gudhis_general_complex() -> None:
    picture = maps(1)[0].numpy()
    diagram = cubical_diagram(picture)
    for channel, values in enumerate(-picture / picture.max()):
        complex_ = CubicalComplex(top_dimensional_cells=values)
        complex_.compute_persistence()
        for dimension in (0, 1):
            expected = complex_.persistence_intervals_in_dimension(dimension)
            rows = diagram[(diagram[:, 0] == channel) & (diagram[:, 1] == dimension), 2:]
            expected = expected[np.isfinite(expected[:, 1])]
            np.testing.assert_allclose(
                rows[np.lexsort(rows.T)], expected[np.lexsort(expected.T)], atol=1e-6
            )


def test_a_picture_without_activation_has_no_topology() -> None:
    assert cubical_diagram(np.zeros((2, 8, 8), np.float32)).shape == (0, 4)
    assert not lifetimes(np.empty((0, 4)), 2).any()


@pytest.mark.parametrize("noise", [1e-4, 1e-3, 1e-2])
def test_lifetimes_move_by_at_most_twice_the_noise(noise: float) -> None:
    rng = np.random.default_rng(0)
    picture = maps(1)[0].numpy()
    picture /= picture.max()
    shaken = picture + noise * rng.uniform(-1, 1, picture.shape).astype(np.float32)
    shaken.flat[picture.argmax()] = 1  # else the levels are rescaled as well
    shaken = shaken.clip(max=1)
    change = lifetimes(cubical_diagram(shaken), 4) - lifetimes(cubical_diagram(picture), 4)
    assert np.abs(change).max() <= 2 * noise + 1e-6
    assert np.abs(change).max() > 0


def test_a_little_noise_moves_the_latent_a_little() -> None:
    topology, x = fitted(), maps(6, 5)
    spread = torch.pdist(topology.encode(x)).median()
    moved = [
        (topology.encode(x + noise * maps(6, 6)) - topology.encode(x)).norm(dim=1).median()
        for noise in (1e-4, 1e-3)
    ]
    assert 0 < moved[0] < moved[1] < 0.1 * spread


def test_a_latent_depends_on_nothing_but_its_picture() -> None:
    topology, x = fitted(), maps(20, 5)  # 20: more than one chunk, so more processes
    together = topology.encode(x)
    alone = torch.cat([topology.encode(picture[None]) for picture in x[:3]])
    torch.testing.assert_close(together[:3], alone, rtol=0, atol=1e-4)
    # Even beside a picture with longer lives than training has shown.
    loud = torch.cat([x[:3], 50 * maps(1, 7).round()])
    torch.testing.assert_close(topology.encode(loud)[:3], alone, rtol=0, atol=1e-4)
    assert together.shape == (20, 3)
    assert together.isfinite().all()


def test_weights_restore_the_model_exactly() -> None:
    topology, other = fitted(), model()
    other.load_state_dict(load(save(topology.state_dict())))
    torch.testing.assert_close(
        other.encode(maps(4, 5)), topology.encode(maps(4, 5)), rtol=0, atol=0
    )


def test_signal_has_no_part_in_the_fit() -> None:
    train = sets()
    with_signal = fitted(train)
    del train["signal"]
    x = maps(3, 5)
    torch.testing.assert_close(fitted(train).encode(x), with_signal.encode(x), rtol=0, atol=0)


def test_lifetimes_are_log1p_then_whitened() -> None:
    topology, x = fitted(), maps(5, 5)
    vectors = np.log1p([lifetimes(cubical_diagram(picture.numpy()), 4) for picture in x])
    whitening = topology.whitening
    expected = (vectors - whitening.mean.numpy()) @ whitening.projection.numpy().T
    np.testing.assert_allclose(topology.encode(x), expected, atol=1e-4)


@pytest.mark.parametrize(
    "shape", [(512, 7, 7), (512, 14, 7), (512, 4, 4), (512,), (512, 1, 1), (3, 8, 8, 8)]
)
def test_maps_too_small_are_refused_with_the_way_out(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"conv5_3, features\.size=224 .* features\.pooling=none"):
        model(shape=shape)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"latent_dim": 13}, "latent_dim=13 .* at most 12"),
    ],
)
def test_arguments_are_checked(changes: dict[str, object], match: str) -> None:
    with pytest.raises(InputError, match=match):
        model(**changes)


def test_single_views_and_the_signal_alone_are_refused() -> None:
    x = maps(10)
    with pytest.raises(InputError, match=r"raise data\.views\.train"):
        fitted({"outliers": FeatureSet(x, np.arange(10))})
    with pytest.raises(InputError, match=r"data\.train_sets"):
        fitted({"signal": FeatureSet(x, np.zeros(10, dtype=np.int64))})


def test_config_builds_the_model() -> None:
    conf = CONF / "model/topology.yaml"
    topology = instantiate(OmegaConf.load(conf), shape=(512, 14, 14))
    assert isinstance(topology, Topology)
    assert topology.whitening.projection.shape == (2, 1536)


def test_work_on_all_cores_keeps_its_order() -> None:
    items = list(range(100))
    assert on_all_cores(str, items, "Numbers") == [str(i) for i in items]


def test_figure_shows_every_point_of_both_pictures() -> None:
    diagrams = {
        "signal": np.array([[0, 0, -1, -0.2], [1, 0, -0.5, -0.1], [1, 1, -0.3, 0]]),
        "noise_edited": np.array([[0, 0, -0.8, -0.4]]),
    }
    figure = persistence_diagrams(diagrams, ("birth", "death"))
    panels = figure.axes
    assert len(panels) == 2
    for axes, points in zip(panels, diagrams.values(), strict=True):
        shown = np.vstack([c.get_offsets() for c in axes.collections])
        np.testing.assert_array_equal(shown, points[:, 2:])
        assert axes.get_xlim() == axes.get_ylim()
        assert axes.get_aspect() == 1
        assert axes.get_xlim() == panels[0].get_xlim()
    assert "Signal: 2 in H0, 1 in H1" in panels[0].get_title()


def test_figure_without_points() -> None:
    figure = persistence_diagrams({"signal": np.empty((0, 4))}, ("birth", "death"))
    figure.canvas.draw()
    assert "0 in H0" in figure.axes[0].get_title()
