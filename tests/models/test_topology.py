"""Topology hash: stability, what it is fitted on, refusals."""

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from safetensors.torch import load, save

from fitting import MAPS, maps
from latenthash.errors import InputError
from latenthash.features.interface import FeatureSet
from latenthash.models.components.persistence import cubical_diagram, lifetimes
from latenthash.models.topology import Topology
from project import CONF

ARGS = {"shape": MAPS, "latent_dim": 3, "ridge": 0.1}
TRAINER = pl.Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")


def model(**changes: object) -> Topology:
    return Topology(**(ARGS | changes))  # type: ignore[arg-type]


def sets() -> dict[str, FeatureSet]:
    """Eight pictures of outliers, and five views of each that differ a little."""
    x = maps(8).repeat(5, 1, 1, 1) + 0.2 * maps(40, 1)
    outliers = FeatureSet(x, np.arange(40) % 8)
    return {"signal": FeatureSet(maps(6, 2), np.zeros(6, dtype=np.int64)), "outliers": outliers}


def fitted(train: dict[str, FeatureSet] | None = None, **changes: object) -> Topology:
    topology = model(**changes)
    topology.fit(train or sets(), {}, TRAINER)
    return topology


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
