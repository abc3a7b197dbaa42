"""What reaches the terminal: log lines, progress, and names that cannot steer it.

Everything here goes to standard error, so that standard output holds nothing but tables.
"""

import logging
import re
import unicodedata
from collections.abc import Iterable
from types import TracebackType
from typing import TypeAlias, TypeVar

from rich import progress
from rich.console import Console

SECRET = re.compile(r"(?<=://)[^\s/]\S*@")  # user and password of a URI; it may hold slashes
T = TypeVar("T")
ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)

# Controls (C0, DEL, C1), what is not seen or turns the direction of writing, bytes that are not
# UTF-8, and separators of lines.
STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")
JOINERS = "\u200c\u200d"  # stand within words of many languages, and do nothing else


def escaped(text: str) -> str:
    r"""Escape what breaks a line or steers a terminal, as in `\x1b`; other letters stay."""
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode()
        if unicodedata.category(char) in STEERING and char not in JOINERS
        else char
        for char in text
    )


def without_password(text: str) -> str:
    """Return a text with no user or password in the URIs that it holds."""
    return SECRET.sub("***@", text)


class Lines(logging.Formatter):
    """Format a record as one line, whatever it quotes; only a traceback has several."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # logging's name
        """Format the message, escaped and without passwords."""
        # Hydra writes tabs before the jobs of a sweep.
        parts = without_password(record.message).split("\t")
        record.message = "\t".join(map(escaped, parts))
        return super().formatMessage(record)

    def formatException(self, ei: ExcInfo) -> str:  # logging's name
        """Format the traceback, each of its lines escaped."""
        text = without_password(super().formatException(ei))
        return "\n".join(map(escaped, text.split("\n")))


def is_watched() -> bool:
    """Say whether standard error is a terminal, where a progress bar can be seen."""
    return Console(stderr=True).file.isatty()


def track(
    items: Iterable[T], title: str, total: float | None = None, *, disable: bool = False
) -> Iterable[T]:
    """Show a progress bar while a loop runs; nothing where standard error is no terminal.

    Args:
        items: of the loop.
        title: of the bar.
        total: number of items, where they do not know it.
        disable: whether the loop is too short for a bar.
    """
    if disable or not is_watched():
        return items
    return progress.track(
        items,
        title,
        total,
        console=Console(stderr=True),  # anew: one keeps what it found of the terminal
        transient=True,
    )
