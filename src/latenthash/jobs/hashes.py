"""The job that compares printable hashes or codes; it needs no run and no pictures."""

from collections.abc import Sequence
from functools import partial
from itertools import combinations

import pandas as pd
from omegaconf import DictConfig

from latenthash.errors import InputError, collect
from latenthash.hashing import printable_code
from latenthash.hashing.printable import PrintableHash, compare
from latenthash.hashing.printable_code import BITS, CodeComparison, PrintableCode, compare_codes
from latenthash.hashing.printed import version_of
from latenthash.jobs.answer import write

WAY = "hashes=[LH2-...,LH2-...]"


def compare_hashes(cfg: DictConfig) -> None:
    """Compare printable hashes or codes, each with each.

    Raises:
        InputError: if there are fewer than two, one cannot be read, or two are of different kinds.
    """
    if cfg.hashes is None:
        raise InputError(f"hashes is not set; give two or more: {WAY}.")
    given = [cfg.hashes] if isinstance(cfg.hashes, str) else list(cfg.hashes)
    write(cfg, comparison(given), "hashes")


def comparison(texts: Sequence[str]) -> pd.DataFrame:
    """Compare printable hashes or codes, each with each, a row a pair.

    Raises:
        InputError: for all that cannot be read, or if they cannot be compared.
    """
    if len(texts) < 2:
        raise InputError(f"hashes needs two printable hashes or more: {WAY}.")
    read = collect(*[partial(_read, text) for text in texts])
    codes = [one for one in read if isinstance(one, PrintableCode)]
    hashes = [one for one in read if isinstance(one, PrintableHash)]
    if codes and hashes:
        raise InputError(
            f"Hashes of LH1 and of LH2 are not comparable: {len(hashes)} of those given are the "
            f"surest bits of a run's Signal, and {len(codes)} are codes, of any picture. Compare "
            "those of one kind at a time."
        )
    rows = [code_row(compare_codes(a, b)) for a, b in combinations(codes, 2)]
    rows += [_hash_row(a, b) for a, b in combinations(hashes, 2)]
    numbers = [f"{i} and {j}" for i, j in combinations(range(1, len(texts) + 1), 2)]
    return pd.DataFrame([{"hashes": pair, **row} for pair, row in zip(numbers, rows, strict=True)])


def _read(text: str) -> PrintableCode | PrintableHash:
    if version_of(text) == printable_code.VERSION:
        return PrintableCode.parse(text)
    return PrintableHash.parse(text)


def code_row(found: CodeComparison) -> dict[str, object]:
    """Lay out how two codes compare, column -> value."""
    return {
        f"distance (of {BITS} bits)": found.distance,
        "share": found.share,
        "same up to": "" if found.limit is None else found.limit,
        "at FPR": "" if found.fpr is None else f"{found.fpr:g}",
        "same picture": found.verdict,
    }


def _hash_row(first: PrintableHash, second: PrintableHash) -> dict[str, object]:
    found = compare(first, second)
    return {
        "shared positions": found.shared,
        "agreeing": found.agreeing,
        "share": found.share,
        "surplus": found.surplus,
        "same from": "" if found.least is None else found.least,
        "same picture": found.verdict,
    }
