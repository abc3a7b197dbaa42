"""What reaches the terminal: log lines, progress, and names that cannot steer it.

Everything here goes to standard error, so that standard output holds nothing but tables.
"""

import logging
import re
import unicodedata
from collections.abc import Iterable, Iterator
from operator import length_hint
from time import monotonic
from types import TracebackType
from typing import TypeAlias, TypeVar

from rich import progress
from rich.console import Console
from rich.text import Text

log = logging.getLogger(__name__)

SECRET = re.compile(r"(?<=://)[^\s/]\S*@")  # user and password of a URI; it may hold slashes
LINES_EVERY = 10  # seconds, where no bar can be seen
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


class _Rate(progress.ProgressColumn):
    """How many items are done a second."""

    def render(self, task: progress.Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.3g}/s", style="progress.data.speed")


def track(
    items: Iterable[T], title: str, total: float | None = None, *, disable: bool = False
) -> Iterable[T]:
    """Show how far a loop is, with its rate and the time that remains.

    A bar where standard error is a terminal, and else a log line every ten seconds.

    Args:
        items: of the loop.
        title: of the bar.
        total: number of items, where they do not know it.
        disable: whether the loop is too short for a bar.
    """
    if disable:
        return items
    return _bar(items, title, total) if is_watched() else _lines(items, title, total)


def _bar(items: Iterable[T], title: str, total: float | None) -> Iterator[T]:
    with progress.Progress(
        progress.TextColumn("[progress.description]{task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        _Rate(),
        progress.TimeRemainingColumn(elapsed_when_finished=True),
        console=Console(stderr=True),  # anew: one keeps what it found of the terminal
        transient=True,
    ) as bar:
        yield from bar.track(items, total, description=title)


def _lines(items: Iterable[T], title: str, total: float | None) -> Iterator[T]:
    whole = total or length_hint(items)
    began = shown = 0.0
    for done, item in enumerate(items):  # the first one waits for what has to start
        if not done:
            began = shown = monotonic()
        yield item
        now = monotonic()
        if now - shown >= LINES_EVERY:
            shown, rate = now, max(done, 1) / (now - began)
            left = f" of {whole:,.0f}, {_time((whole - done - 1) / rate)} left" if whole else ""
            log.info("%s: %s%s, %.3g/s", title, f"{done + 1:,}", left, rate)


def _time(seconds: float) -> str:
    """Write a time as people say it."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
