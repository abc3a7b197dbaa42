"""The job that gives the code of every picture."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from omegaconf import DictConfig

from latenthash.cache import DiskCache
from latenthash.codes.latent import Latent, latent_key
from latenthash.data.sources import Unread, log_remarks, log_skipped, named, refused
from latenthash.errors import InputError
from latenthash.hashing.printable_code import BITS
from latenthash.jobs.answer import answer
from latenthash.jobs.build import build, restore
from latenthash.jobs.open import Opened, open_bundle
from latenthash.jobs.pictures import given_paths, given_reader, noted
from latenthash.library.code import Code
from latenthash.library.hashes import Hash, Refusal
from latenthash.system.terminal import track

MANY = 1000  # files: about so many win back the seconds that it takes to be faster
SHOWN = 16  # hex digits of the bundle's digest: no two bundles will share them by chance
SHORT = 10  # files, of which no progress is shown


def give_codes(cfg: DictConfig) -> None:
    """Answer with the codes of the pictures at a path.

    Raises:
        InputError: if run= names no code, or the pictures cannot be used.
    """
    answer_codes(cfg, open_code(cfg))


def open_code(cfg: DictConfig) -> Opened:
    """Open the bundle that run= names, if it is a code.

    Raises:
        InputError: if it is none, or cannot be used.
    """
    opened = open_bundle(cfg)
    if opened.bundle.hash is not None:
        raise InputError(
            f"run={cfg.run} left the hash of one picture, and no code; run=code is one. Which "
            f"pictures match the hash, run={cfg.run} pictures=PATH says."
        )
    return opened


def latent_of(opened: Opened, cache: DiskCache) -> Latent:
    """Restore the network of a code."""
    return Latent(latent_key(opened.bundle), restore(opened.bundle, opened.config, cache))


def answer_codes(cfg: DictConfig, opened: Opened) -> None:
    """Answer with the codes that a bundle has for the pictures at a path."""
    (paths, given), reader = given_paths(cfg), given_reader(cfg, opened)
    cache: DiskCache = build(cfg.cache)
    code = Code(latent_of(opened, cache), reader)
    if len(paths) >= MANY:
        code.hasten(cache)
    hashes = code.hash_many(paths)
    shown = track(hashes, "Codes", len(paths), disable=len(paths) < SHORT)
    table, unread = codes(given, shown)
    # Last, so that whatever reads the first columns of format=text goes on to do so.
    table["bundle"] = code.bundle.removeprefix("bundle ")[:SHOWN]
    if problems := refused(unread, len(paths) - len(unread), reader):
        raise InputError(problems)
    answer(cfg, opened, "codes", table)
    log_skipped(unread)


def codes(
    given: Path | None, hashes: Iterable[tuple[Path, Hash | Refusal]]
) -> tuple[pd.DataFrame, list[Unread]]:
    """Return the 256-bit code of each picture that has detail, printed as one word.

    Args:
        given: the folder in which the files were found, or the one file itself; None where they
            were named one by one.
        hashes: of each file, or why it has none.

    Returns:
        the table, and the files that could not be read.
    """
    made: list[tuple[str, Hash]] = []
    unread = []
    for path, found in hashes:
        name = named(path, given)
        if isinstance(found, Refusal):
            unread.append(Unread(name, path, found.reason))
        else:
            made.append((name, found))
    for name, found in made:
        log_remarks(name, found.remarks)
    texts = [str(found) for _, found in made]
    table = pd.DataFrame({"file": [name for name, _ in made], f"code ({BITS} bits)": texts})
    return noted(table, [not found.detail for _, found in made], unread), unread
