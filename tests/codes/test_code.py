"""Codes of a latent: what is compared, and the bits that are printed."""

import numpy as np

from given import Given
from latenthash.codes.code import BITS, latent_codes, printed_code
from latenthash.hashing.projections import directions


def test_latent_codes_compare_as_they_say() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(6, 8)).astype(np.float32)
    codes = {code.name: code for code in latent_codes(Given(8))}
    assert list(codes) == [
        "latent-float", "latent-64", "latent-128", "latent-256", "latent-reliable-256"
    ]  # fmt: skip
    plain = codes["latent-float"]
    squared = ((z[:, None] - z[None]) ** 2).sum(-1)
    np.testing.assert_allclose(plain.queries(z) @ plain.references(z).T, 1 - squared / 2, atol=1e-4)
    bits = codes["latent-64"]
    signs = z @ directions(8, 64) > 0
    differing = (signs[:, None] != signs[None]).sum(-1)
    np.testing.assert_array_equal(bits.queries(z) @ bits.references(z).T, 64 - 2 * differing)
    assert [code.size for code in codes.values()] == [32, 8, 16, 32, 160]


def test_reliable_bits_are_those_farthest_from_changing() -> None:
    z = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    code = latent_codes(Given(8))[-1]
    vectors = code.references(z)
    projected = z @ directions(8, 1024)
    for row, values in zip(vectors, projected, strict=True):
        assert (row != 0).sum() == 256
        assert np.abs(values[row != 0]).min() >= np.abs(values[row == 0]).max()
        np.testing.assert_array_equal(np.sign(values[row != 0]), row[row != 0])
    # A picture agrees with itself in all of them.
    np.testing.assert_array_equal(np.diag(code.queries(z) @ vectors.T), code.span)


def test_bits_are_those_that_codes_are_compared_by() -> None:
    z = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)
    codes = {code.name: code for code in latent_codes(Given(8))}
    for bits in BITS:
        code = codes[f"latent-{bits}"]
        packed = code.bits(z)
        assert (packed.dtype, packed.shape) == (np.uint8, (6, code.size))
        np.testing.assert_array_equal(np.unpackbits(packed, axis=1), z @ directions(8, bits) > 0)
        differing = np.bitwise_count(packed[:, None] ^ packed).sum(-1, dtype=int)
        np.testing.assert_array_equal(code.queries(z) @ code.references(z).T, bits - 2 * differing)
    printed = printed_code(Given(8))
    np.testing.assert_array_equal(printed.bits(z), codes[printed.name].bits(z))
