"""The code BCH(127, 64, 10): 64 bits as 127, of which any ten may be wrong.

Binary, primitive and narrow-sense (Bose and Ray-Chaudhuri 1960): its words are the polynomials
over GF(2), of degree below 127, that alpha, alpha^2, ..., alpha^20 are roots of, where alpha is a
primitive element of GF(2^7) = GF(2)[x] / (x^7 + x^3 + 1). Two words differ in at least 21 bits.
"""

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint8]  # 0 or 1

LENGTH = 127  # bits of a word
ERRORS = 10  # of a word, any of which are corrected
PRIMITIVE = 0b10001001  # x^7 + x^3 + 1


def _powers() -> NDArray[np.int64]:
    """List alpha^0 .. alpha^126: bit k of an element is its coefficient of x^k."""
    elements = [1]
    while len(elements) < LENGTH:
        doubled = elements[-1] << 1
        elements.append(doubled ^ PRIMITIVE if doubled > LENGTH else doubled)
    return np.array(elements)


EXP = _powers()
LOG = np.zeros(LENGTH + 1, np.int64)  # of 0 there is none
LOG[EXP] = np.arange(LENGTH)
PRODUCT = EXP[(LOG[:, None] + LOG) % LENGTH].astype(np.uint8)  # (128, 128)
PRODUCT[0] = PRODUCT[:, 0] = 0
INVERSE = EXP[-LOG % LENGTH].astype(np.uint8)


def _generator() -> Bits:
    """Multiply the minimal polynomials of alpha .. alpha^20; coefficients from x^0 on."""
    conjugates = {frozenset(i * 2**k % LENGTH for k in range(7)) for i in range(1, 2 * ERRORS + 1)}
    product = np.array([1], np.int64)
    for exponents in conjugates:
        for exponent in exponents:  # times (x + alpha^exponent)
            product = np.append(0, product) ^ np.append(PRODUCT[product, EXP[exponent]], 0)
    return product.astype(np.uint8)


GENERATOR = _generator()
PARITY = len(GENERATOR) - 1  # bits that are added
PAYLOAD = LENGTH - PARITY


def _systematic() -> Bits:
    """Return the words (64, 127) of each bit of the payload alone: parity first, then the bits."""
    words = np.zeros((PAYLOAD, LENGTH), np.uint8)
    remainder = GENERATOR[:PARITY]  # of x^63 divided by the generator
    for i in range(PAYLOAD):
        words[i, :PARITY] = remainder
        words[i, PARITY + i] = 1
        remainder = np.append(0, remainder[:-1]) ^ remainder[-1] * GENERATOR[:PARITY]
    return words


BASIS = _systematic()


def encode(payload: Bits) -> Bits:
    """Turn bits (64,) into their word (127,)."""
    word: Bits = payload @ BASIS % 2
    return word


def payload_of(word: Bits) -> Bits:
    """Return the bits (64,) of a word (127,)."""
    return word[PARITY:]


def nearest(soft: NDArray[np.float64]) -> Bits:
    """Find the word that soft bits correlate with best, among those that are likely to.

    Ordered statistics of order 2 (Fossorier and Lin 1995, IEEE Trans. Information Theory 41): the
    surest 64 independent bits name a word; so do they with any one or two of them flipped; of these
    2,081 words the best is taken. It is nearly always the best of all 2^64: see the tests.

    Args:
        soft: (127,) log-likelihood ratios up to a factor; above 0 where a bit is more likely 1.

    Returns:
        (127,).
    """
    order = np.argsort(-np.abs(soft), kind="stable")
    basis, surest = _reduced(BASIS[:, order])
    likely = (soft[order] > 0).astype(np.uint8)
    word = likely[surest] @ basis % 2
    flips = 1.0 - 2.0 * basis  # -1 where a row of the basis flips a bit
    # What each row leaves of the word's correlation; the diagonal of all pairs is no flip at all.
    kept = flips * (2.0 * word - 1) * soft[order]
    single, pairs = kept.sum(1), kept @ flips.T
    row, other = np.unravel_index(pairs.argmax(), pairs.shape)
    if single.max() > pairs.max():
        word ^= basis[single.argmax()]
    elif row != other:
        word ^= basis[row] ^ basis[other]
    found = np.empty_like(word)
    found[order] = word
    return found


def _reduced(basis: Bits) -> tuple[Bits, NDArray[np.int64]]:
    """Bring a basis (64, 127) to the unit matrix in the first independent columns.

    Returns:
        The basis, and these 64 columns, ascending.
    """
    basis = basis.copy()
    columns: list[int] = []
    for column in range(LENGTH):
        row = len(columns)
        ones = np.flatnonzero(basis[row:, column])
        if not len(ones):
            continue
        basis[[row, row + ones[0]]] = basis[[row + ones[0], row]]
        others = basis[:, column].astype(bool)
        others[row] = False
        basis[others] ^= basis[row]
        columns.append(column)
        if len(columns) == PAYLOAD:
            break
    return basis, np.array(columns)
