"""The job that gives the code of every picture."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from omegaconf import DictConfig

from latenthash.codes.code import printed_code
from latenthash.codes.latent import Latent, latent_key
from latenthash.codes.stream import DescribedFile, describe_files
from latenthash.data.sources import Unread, log_remarks, log_skipped, refused
from latenthash.errors import InputError
from latenthash.hashing.printable_code import print_codes
from latenthash.jobs.answer import answer
from latenthash.jobs.build import build, restore
from latenthash.jobs.open import Opened, open_bundle
from latenthash.jobs.pictures import given_paths, given_reader, noted
from latenthash.models.interface import Hastened
from latenthash.system.terminal import track

MANY = 1000  # files: about so many win back the seconds that it takes to be faster
SHORT = 10  # files, of which no progress is shown


def give_codes(cfg: DictConfig) -> None:
    """Answer with the codes of the pictures at a path.

    Raises:
        InputError: if run= names no code, or the pictures cannot be used.
    """
    opened = open_bundle(cfg)
    if opened.bundle.hash is not None:
        raise InputError(
            f"run={cfg.run} left the hash of one picture, and no code: leave job=codes away to see "
            "which pictures match it."
        )
    answer_codes(cfg, opened)


def answer_codes(cfg: DictConfig, opened: Opened) -> None:
    """Answer with the codes that a bundle has for the pictures at a path."""
    paths, reader = given_paths(cfg), given_reader(cfg, opened)
    cache = build(cfg.cache)
    hasher = restore(opened.bundle, opened.config, cache)
    latent = Latent(latent_key(opened.bundle), hasher)
    if len(paths) >= MANY and isinstance(hasher.model, Hastened):
        hasher.model.hasten(cache)
    files = describe_files(paths, Path(cfg.pictures), reader, latent)
    shown = track(files, "Codes", len(paths), disable=len(paths) < SHORT)
    table, unread = codes(latent, shown)
    if problems := refused(unread, len(paths) - len(unread), reader):
        raise InputError(problems)
    answer(cfg, opened, "codes", table)
    log_skipped(unread)


def codes(
    latent: Latent, files: Iterable[DescribedFile | Unread]
) -> tuple[pd.DataFrame, list[Unread]]:
    """Return the 256-bit code of each picture that has detail, printed as one word.

    Returns:
        the table, and the files that could not be read.
    """
    code, tag = printed_code(latent), latent.tag
    names, texts, remarks, unread = [], [], [], []
    for file in files:
        if isinstance(file, Unread):
            unread.append(file)
            continue
        names.append(file.name)
        remarks.append(file.remarks)
        row = file.described
        texts += [""] if row is None else print_codes(tag, code.bits(row[None]))
    for name, of_file in zip(names, remarks, strict=True):
        log_remarks(name, of_file)
    table = pd.DataFrame({"file": names, f"code ({8 * code.size} bits)": texts})
    return noted(table, [not text for text in texts], unread), unread
