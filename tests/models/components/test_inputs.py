"""What networks take: vectors on a scale that the Signal has no part in."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fitting import MARKS
from latenthash.errors import InputError
from latenthash.models.components.inputs import QUIETEST, Standardize
from vaes import D, fit_vectors, sets, vector_vae, vectors

pytestmark = MARKS


def test_standardize_is_that_of_plain_numpy() -> None:
    standardize, x = Standardize(D), vectors(50).x
    standardize.fit(x)
    a = x.double().numpy()
    assert (a < 0).any(), "negative values must take part for this test to say anything"
    root = np.sign(a) * np.sqrt(np.abs(a))
    np.testing.assert_allclose(standardize(x), (root - root.mean(0)) / root.std(0), atol=1e-5)
    assert standardize(x).mean(0).abs().max() < 1e-5
    torch.testing.assert_close(standardize(x).std(0, correction=0), torch.ones(D))


def test_what_hardly_moves_is_not_blown_up() -> None:
    x = vectors(50).x
    x[:, 3] = 0  # a map that never fires on noise
    standardize = Standardize(D)
    standardize.fit(x)
    deviation = (x.sign() * x.abs().sqrt()).std(0, correction=0)
    assert standardize.deviation[3].item() == pytest.approx(QUIETEST * deviation.mean().item())
    other = torch.zeros(1, D)
    other[0, 3] = 1.0
    blown_up = 1 / (QUIETEST * deviation.mean().item())
    assert standardize(other)[0, 3].item() == pytest.approx(blown_up, rel=1e-5)
    standardize.fit(torch.ones(5, D))
    assert standardize(torch.ones(2, D)).isfinite().all()


def test_signal_has_no_part_in_the_scale(tmp_path: Path) -> None:
    scales = []
    for i, scale in enumerate((1.0, 100.0)):
        model = vector_vae()
        fit_vectors(model, tmp_path / str(i), sets(scale), 1)
        scales.append(model.inputs.state_dict())
    assert all(torch.equal(value, scales[1][name]) for name, value in scales[0].items())
    noise = torch.cat([sets()[role].x for role in ("noise_edited", "outliers")])
    root = noise.sign() * noise.abs().sqrt()
    torch.testing.assert_close(scales[0]["mean"], root.mean(0))
    torch.testing.assert_close(scales[0]["deviation"], root.std(0, correction=0))


def test_signal_alone_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds the Signal alone"):
        fit_vectors(vector_vae(), tmp_path, {"signal": vectors(8)})
