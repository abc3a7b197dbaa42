"""PCA hash: both whitenings against plain numpy, what they are fitted on, and the refusals."""

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from numpy.typing import NDArray
from omegaconf import OmegaConf
from safetensors.torch import load, save
from torch import Tensor

from fitting import differences
from latenthash.errors import InputError
from latenthash.features.interface import FeatureSet
from latenthash.models.components.whitening import pair_covariance, without_signal
from latenthash.models.pca import PCA
from project import CONF

D = 6
ARGS = {
    "shape": (D,),
    "latent_dim": 3,
    "signed_root": False,
    "unit_features": False,
    "unit_latent": False,
    "whitening": "plain",
    "ridge": 0.1,
}
TRAINER = pl.Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")


def model(**changes: object) -> PCA:
    return PCA(**(ARGS | changes))  # type: ignore[arg-type]


def views(pictures: int, each: int, seed: int = 0, d: int = D) -> FeatureSet:
    """Pictures that differ along some axes, and views that differ along others."""
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(pictures, d)) * np.linspace(3, 1, d)
    edits = rng.normal(size=(each, pictures, d)) * np.linspace(0.2, 1.5, d)
    x = (1 + means + edits).reshape(-1, d)
    picture = np.arange(len(x)) % pictures
    return FeatureSet(torch.from_numpy(x).float(), picture)


def sets() -> dict[str, FeatureSet]:
    return {
        "signal": views(1, 30, 1),
        "noise_edited": views(1, 30, 2),
        "noise_similar": views(30, 1, 3),
        "outliers": views(5, 6, 4),
    }


def fitted(train: dict[str, FeatureSet] | None = None, **changes: object) -> PCA:
    pca = model(**changes)
    pca.fit(train or sets(), {}, TRAINER)
    return pca


def prepared(x: NDArray[np.float64], root: bool, unit: bool) -> NDArray[np.float64]:
    if root:
        x = np.sign(x) * np.sqrt(np.abs(x))
    return x / np.linalg.norm(x, axis=1, keepdims=True) if unit else x


def pooled() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Noise and outliers, and the covariance of differences from pairs one by one."""
    groups = [
        features.x.double().numpy()[features.picture == i]
        for role, features in sets().items()
        if role != "signal"
        for i in range(features.picture.max() + 1)
    ]
    return np.vstack(groups), differences(groups)


def same_up_to_sign(z: Tensor, reference: NDArray[np.float64]) -> None:
    signs = np.sign((z.numpy() * reference).sum(0))
    np.testing.assert_allclose(z.numpy(), reference * signs, atol=1e-4)


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize("unit", [False, True])
@pytest.mark.parametrize("unit_latent", [False, True])
def test_plain_whitening_against_an_eigendecomposition(
    root: bool, unit: bool, unit_latent: bool
) -> None:
    x = prepared(pooled()[0], root, unit)
    values, vectors = np.linalg.eigh(np.cov(x.T))
    test = views(7, 2, 9).x
    z = (prepared(test.double().numpy(), root, unit) - x.mean(0)) @ vectors[:, :-4:-1]
    z = prepared(z / np.sqrt(values[:-4:-1]), False, unit_latent)
    pca = fitted(signed_root=root, unit_features=unit, unit_latent=unit_latent)
    same_up_to_sign(pca.encode(test), z)


@pytest.mark.parametrize("ridge", [1e-6, 0.1, 10.0])
def test_learned_whitening_against_the_papers_recipe(ridge: float) -> None:
    x, s = pooled()
    a = ridge * np.trace(s) / D
    p = np.linalg.inv(np.linalg.cholesky(s + a * np.eye(D)))
    centred = (x - x.mean(0)) @ p.T
    vectors = np.linalg.eigh(centred.T @ centred)[1][:, :-4:-1]
    test = views(7, 2, 9).x
    z = (test.double().numpy() - x.mean(0)) @ p.T @ vectors
    same_up_to_sign(fitted(whitening="learned", ridge=ridge).encode(test), z)


@pytest.mark.parametrize("ridge", [0.01, 1.0])
def test_learned_whitening_of_more_dimensions_than_views(ridge: float) -> None:
    # 40 dimensions, 24 views: the recipe in full against the one within the views' span.
    data = views(6, 4, 5, d=40)
    x = data.x.double().numpy()
    s = differences([x[data.picture == i] for i in range(6)])
    p = np.linalg.inv(np.linalg.cholesky(s + ridge * np.trace(s) / 40 * np.eye(40)))
    centred = (x - x.mean(0)) @ p.T
    vectors = np.linalg.svd(centred)[2][:4].T
    test = views(3, 3, 6, d=40).x
    z = (test.double().numpy() - x.mean(0)) @ p.T @ vectors
    pca = fitted({"outliers": data}, shape=(40,), latent_dim=4, whitening="learned", ridge=ridge)
    same_up_to_sign(pca.encode(test), z)


def test_plainly_whitened_training_data_have_identity_covariance() -> None:
    pca = fitted(latent_dim=D)
    z = pca.encode(without_signal(sets()).x).numpy()
    np.testing.assert_allclose(np.cov(z.T), np.eye(D), atol=1e-4)
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-4)


def test_learned_whitening_makes_differences_isotropic() -> None:
    data = without_signal(sets())
    z = fitted(latent_dim=D, whitening="learned", ridge=1e-9).encode(data.x).double().numpy()
    np.testing.assert_allclose(pair_covariance(z, data.picture), np.eye(D), atol=1e-4)
    between = np.cov(z.T)
    np.testing.assert_allclose(between, np.diag(np.diag(between)), atol=1e-3)
    assert (np.diff(np.diag(between)) < 0).all()  # and the widest axis comes first


def test_pictures_of_different_sets_are_different() -> None:
    pool = without_signal(sets())
    sizes = np.bincount(pool.picture)
    np.testing.assert_array_equal(sizes, [30, *[1] * 30, *[6] * 5])
    assert len(pool.x) == 90


@pytest.mark.parametrize("whitening", ["plain", "learned"])
def test_signal_takes_no_part(whitening: str) -> None:
    test = views(4, 2, 9).x
    without = {role: features for role, features in sets().items() if role != "signal"}
    expected = fitted(without, whitening=whitening).encode(test)
    torch.testing.assert_close(fitted(whitening=whitening).encode(test), expected, rtol=0, atol=0)


@pytest.mark.parametrize("whitening", ["plain", "learned"])
def test_same_data_in_any_order_give_the_same_latents(whitening: str) -> None:
    rng = np.random.default_rng(3)
    shuffled = {}
    for role, features in reversed(sets().items()):
        order = rng.permutation(len(features.x))
        shuffled[role] = FeatureSet(features.x[order], features.picture[order])
    test = views(4, 2, 9).x
    expected = fitted(whitening=whitening).encode(test)
    torch.testing.assert_close(fitted(whitening=whitening).encode(test), expected, rtol=0, atol=0)
    found = fitted(shuffled, whitening=whitening).encode(test)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("whitening", ["plain", "learned"])
def test_weights_restore_the_model_exactly(whitening: str) -> None:
    pca, other = fitted(whitening=whitening), model(whitening=whitening)
    other.load_state_dict(load(save(pca.state_dict())))
    test = views(4, 2, 9).x
    torch.testing.assert_close(other.encode(test), pca.encode(test), rtol=0, atol=0)


def test_a_latent_does_not_depend_on_its_neighbours() -> None:
    pca, test = fitted(signed_root=True, unit_features=True, unit_latent=True), views(4, 5, 9).x
    alone = torch.cat([pca.encode(row[None]) for row in test])
    torch.testing.assert_close(pca.encode(test), alone, rtol=0, atol=1e-5)


def test_maps_are_flattened() -> None:
    maps = {
        role: FeatureSet(features.x.reshape(-1, 1, 2, 3), features.picture)
        for role, features in sets().items()
    }
    test = views(4, 2, 9).x
    found = fitted(maps, shape=(1, 2, 3)).encode(test.reshape(-1, 1, 2, 3))
    torch.testing.assert_close(found, fitted().encode(test), rtol=0, atol=0)


def test_zero_features_stay_finite() -> None:
    pca = fitted(signed_root=True, unit_features=True, unit_latent=True)
    assert pca.encode(torch.zeros(1, D)).isfinite().all()


def test_more_dimensions_than_the_data_have_are_refused_with_their_number() -> None:
    train = {"outliers": views(2, 2)}
    with pytest.raises(InputError, match=r"latent_dim=4 .* 4 training views .* in 3 directions"):
        fitted(train, latent_dim=4)
    fitted(train, latent_dim=3)
    flat = views(20, 2)
    flat.x[:, 2:] = flat.x[:, :1] * torch.tensor([1.0, 2.0, 0.0, -1.0])
    with pytest.raises(InputError, match="in 2 directions, the largest k"):
        fitted({"outliers": flat})
    equal = FeatureSet(torch.ones(5, D), np.zeros(5, dtype=np.int64))
    with pytest.raises(InputError, match="in 0 directions"):
        fitted({"outliers": equal}, latent_dim=1)


def test_learned_whitening_without_pairs_is_refused() -> None:
    train = {"signal": views(1, 30), "noise_similar": views(30, 1)}
    with pytest.raises(InputError, match=r"raise data\.views\.train .* model\.whitening=plain"):
        fitted(train, whitening="learned")
    fitted(train, whitening="plain")
    same = views(10, 1).x.repeat(3, 1)
    with pytest.raises(InputError, match="that differ"):
        fitted({"outliers": FeatureSet(same, np.arange(30) % 10)}, whitening="learned")


def test_the_signal_alone_is_refused() -> None:
    with pytest.raises(InputError, match=r"data\.train_sets .* add noise_edited"):
        fitted({"signal": views(1, 30)})


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"latent_dim": D + 1}, rf"latent_dim={D + 1} .* at most {D}"),
    ],
)
def test_arguments_are_checked(changes: dict[str, object], match: str) -> None:
    with pytest.raises(InputError, match=match):
        model(**changes)


def test_config_builds_the_model() -> None:
    conf = CONF / "model/pca.yaml"
    pca = instantiate(OmegaConf.load(conf), shape=(3, 8, 8))
    assert isinstance(pca, PCA)
    assert pca.whitening.projection.shape == (2, 192)
