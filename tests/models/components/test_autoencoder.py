"""Autoencoders of vectors: latents, what is drawn of them, and what fitting leaves."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from fitting import MARKS, differing, weights
from latenthash.features.interface import FeatureSet
from latenthash.models.components.picture_head import PictureHead
from latenthash.models.vae import VAE
from vaes import fit_vectors, sets, vector_vae, vectors

pytestmark = MARKS


def test_latent_of_a_vector_does_not_depend_on_the_rest_of_the_batch() -> None:
    model, x = vector_vae(latent_dim=5).train(), vectors(33).x
    whole = model.encode(x)
    for size in (1, 2, 32):
        parts = torch.cat([model.encode(part) for part in x.split(size)])
        torch.testing.assert_close(parts, whole, rtol=0, atol=1e-5)


def test_fit_learns_and_leaves_a_model_that_draws(tmp_path: Path) -> None:
    model, train = vector_vae(), sets()
    before = vector_vae()
    fit_vectors(model, tmp_path, train, 20)
    assert not list(tmp_path.iterdir()), "a checkpoint is a pickle and must not stay"
    assert not any(module.training for module in model.modules())
    x = torch.cat([features.x for features in train.values()])
    before.inputs.load_state_dict(model.inputs.state_dict())

    @torch.no_grad()
    def error(of: VAE) -> float:
        seen = of.inputs(x)
        return float((of.decoder(of.encoder(seen)[0]) - seen).square().mean())

    assert error(model) < 0.8 * error(before)
    pictures = model.decode(model.encode(x))
    assert pictures.shape == (26, 3, 16, 16)
    assert pictures.min() >= 0
    assert pictures.max() <= 1


def test_head_has_no_part_in_encoder_and_decoder(tmp_path: Path) -> None:
    states = []
    for i, epochs in enumerate((1, 5)):
        model = vector_vae(picture_epochs=epochs)
        fit_vectors(model, tmp_path / str(i), sets())
        states.append(weights(model))
    assert differing(*states) == {"picture_head"}


def test_views_have_no_part_in_the_latents(tmp_path: Path) -> None:
    states = []
    for i, shade in enumerate((0, 200)):
        train = {
            role: FeatureSet(f.x, f.picture, torch.full((len(f.x), 24, 24, 3), shade).byte())
            for role, f in sets().items()
        }
        model = vector_vae()
        fit_vectors(model, tmp_path / str(i), train)
        states.append(weights(model))
    assert differing(*states) == {"picture_head"}


@pytest.mark.parametrize(
    ("asked", "epochs"), [(1, 1), (7, 2)], ids=["as asked", "no more than the trainer has"]
)
def test_head_is_fitted_to_the_final_latents_and_the_views_they_are_of(
    asked: int, epochs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Tensor] = []
    settings: dict[str, Any] = {}

    def spy(_: PictureHead, z: Tensor, views: Tensor, **others: Any) -> None:
        given.extend([z, views])
        settings.update(others)

    monkeypatch.setattr(PictureHead, "fit", spy)
    model, train = vector_vae(picture_epochs=asked), sets()
    fit_vectors(model, tmp_path, train, 2)
    z, views = given
    x = torch.cat([features.x for features in train.values()])
    torch.testing.assert_close(z, model.encode(x), rtol=0, atol=1e-5)
    assert not z.requires_grad
    assert torch.equal(views, torch.cat([f.views for f in train.values() if f.views is not None]))
    assert settings == {"epochs": epochs, "learning_rate": 1e-2}


def test_debug_trainer_is_enough(tmp_path: Path) -> None:
    model = vector_vae()
    fit_vectors(model, tmp_path, sets(), 1, limit_train_batches=2, limit_val_batches=1)
    assert model.decode(model.encode(vectors(3).x)).isfinite().all()


def test_same_seed_gives_the_same_weights_and_they_survive_a_bundle(tmp_path: Path) -> None:
    states = []
    for i, seed in enumerate((4, 4, 5)):
        model = vector_vae(seed)
        fit_vectors(model, tmp_path / str(i), sets())
        states.append(weights(model))
    assert not differing(states[0], states[1])
    assert differing(states[0], states[2]) == {"encoder", "decoder", "picture_head"}
    other, x = vector_vae(9).eval(), vectors(4).x
    other.load_state_dict(load(save(model.state_dict())))
    assert torch.equal(other.encode(x), model.encode(x))
    assert torch.equal(other.decode(other.encode(x)), model.decode(model.encode(x)))


def test_errors_on_vectors_are_in_units_of_the_noise() -> None:
    model, x = vector_vae(), vectors(10).x
    model.inputs.fit(x)
    with torch.no_grad():
        seen = model.inputs(x)
        expected = (model.decoder(model.encoder(seen)[0]) - seen).square().mean(1)
        torch.testing.assert_close(model.errors(x), expected)
        assert not torch.allclose(seen, x), "prepared and raw must differ to say anything"


def test_vectors_without_views_are_refused_before_training(tmp_path: Path) -> None:
    bare = {role: FeatureSet(f.x, f.picture) for role, f in sets().items()}
    with pytest.raises(ValueError, match="learns from views"):
        fit_vectors(vector_vae(), tmp_path, bare | {"signal": vectors(8)})
