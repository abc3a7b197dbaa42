"""Networks by the shape of what they take, and what they cannot be built for."""

import re
from typing import Any

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn

from fitting import MARKS
from latenthash.errors import InputError
from latenthash.models.components.inputs import Standardize
from latenthash.models.components.networks import ConvDecoder, ConvEncoder, MLPDecoder, MLPEncoder
from project import CONF
from vaes import vae, vector_vae

pytestmark = MARKS


@pytest.mark.parametrize("side", [7, 6, 30])
def test_side_that_cannot_be_halved_is_refused(side: int) -> None:
    sentence = rf"features\.size={side} must be a multiple of 4: model\.channels=\[8, 16\] .* 2 tim"
    with pytest.raises(InputError, match=sentence):
        vae(shape=(3, side, side))


@pytest.mark.parametrize("channels", [(8, 12), (4,)])
def test_channels_that_cannot_be_grouped_are_refused(channels: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"model\.channels=\[.*\] must be multiples of 8"):
        vae(channels=channels)


@pytest.mark.parametrize("shape", [(4, 8, 8), (2, 8, 8), (512, 8, 8), (3, 8), ()])
def test_features_that_are_neither_pictures_nor_vectors_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=rf"features of shape {re.escape(str(shape))}; set feat"):
        vae(shape=shape)


def test_shape_alone_chooses_the_networks() -> None:
    vector, picture = vector_vae(), vector_vae(shape=(3, 16, 16))
    assert isinstance(vector.encoder, MLPEncoder)
    assert isinstance(vector.decoder, MLPDecoder)
    assert isinstance(vector.inputs, Standardize)
    assert isinstance(picture.encoder, ConvEncoder)
    assert isinstance(picture.decoder, ConvDecoder)
    assert picture.picture_head is None
    x = torch.rand(4, 3, 16, 16)
    assert torch.equal(picture.encode(x), picture.encoder(x)[0]), "pictures are taken as they are"
    z = torch.randn(4, 2)
    assert torch.equal(picture.decode(z), picture.decoder(z))


@pytest.mark.parametrize("name", ["vae", "vaegan"])
@pytest.mark.parametrize("shape", [(3, 64, 64), (512,)])
def test_shipped_configs_build_models_of_pictures_and_of_vectors(
    name: str, shape: tuple[int, ...]
) -> None:
    model = instantiate(OmegaConf.load(CONF / "model" / f"{name}.yaml"), shape=shape)
    z = model.encode(torch.rand(2, *shape))
    assert z.shape == (2, 2)
    assert model.decode(z).shape == (2, 3, *([64, 64] if len(shape) == 3 else [32, 32]))
    if len(shape) == 1:
        widths = [m.out_features for m in model.encoder.modules() if isinstance(m, nn.Linear)]
        assert widths == [256, 64, 4]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"picture_side": 18}, r"model\.picture_side=18 must be a multiple of 4"),
        ({"picture_channels": (12,)}, r"model\.picture_channels=\[12\] must be multiples of 8"),
        (
            {"shape": (512, 14, 14)},
            r"not features of shape \(512, 14, 14\); set features\.pooling=average",
        ),
        ({"shape": (3, 18, 18)}, r"features\.size=18 must be a multiple of 4"),
        ({"likelihood": "bernoulli"}, r"model\.likelihood=bernoulli is for pictures alone"),
    ],
)
def test_networks_that_cannot_be_built_are_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        vector_vae(**settings)
