"""What reaches the terminal: nothing that steers it, and each message as one line."""

import io
import logging
import sys
from logging.config import DictConfigurator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from latenthash.system import terminal
from latenthash.system.terminal import Lines, escaped, track
from latenthash.tracking.callbacks import Progress
from project import CONF


class Terminal(io.StringIO):
    """Where somebody watches."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain.png", "plain.png"),
        ("Mädchen ß 寿司 ü\xa0[x]\\.png", "Mädchen ß 寿司 ü\xa0[x]\\.png"),
        (
            "\u0645\u06cc\u200c\u062e \u200d",
            "\u0645\u06cc\u200c\u062e \u200d",
        ),  # joiners
        ("\x1b[2J\x00\x07\t", r"\x1b[2J\x00\x07\t"),
        ("a\nb\r\x0b\x0c\x85\u2028\u2029", r"a\nb\r\x0b\x0c\x85\u2028\u2029"),
        ("\x7f\x9b31m", r"\x7f\x9b31m"),
        ("\u202a\u202b\u202c\u202d\u202e", r"\u202a\u202b\u202c\u202d\u202e"),
        (
            "\u2066\u2067\u2068\u2069\u061c",
            r"\u2066\u2067\u2068\u2069\u061c",
        ),
        ("caf\udce9\ufeff\U000e0041", r"caf\udce9\ufeff\U000e0041"),
    ],
)
def test_what_steers_a_terminal_is_escaped(text: str, expected: str) -> None:
    assert escaped(text) == expected
    assert escaped(expected) == expected


def test_no_control_is_left() -> None:
    controls = [*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
    shown = escaped("".join(map(chr, [*controls, 0x2028, 0x2029])))
    assert shown.isascii()
    assert shown.isprintable()


def handlers_of_commands(folder: Path) -> list[logging.Handler]:
    """Make what the commands log with, to standard error and to a file."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("evaluate", return_hydra_config=True)
    cfg.hydra.runtime.output_dir = str(folder)
    cfg.hydra.job.name = "evaluate"
    made = DictConfigurator(OmegaConf.to_container(cfg.hydra.job_logging, resolve=True))
    formatters, handlers = made.config["formatters"], made.config["handlers"]
    formatters["simple"] = made.configure_formatter(formatters["simple"])
    return [made.configure_handler(handlers[name]) for name in ("console", "file")]


def test_log_lines_are_lines_on_standard_error_and_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = logging.Logger("test")
    log.handlers = handlers_of_commands(tmp_path)
    log.error("pictures=%s cannot be opened.", "a\n\x1b[31m\udce9\u202e")
    try:
        raise ValueError("two\nlines\x1b[2J")
    except ValueError:
        log.exception("It failed.")
    for handler in log.handlers:
        handler.close()
    written = capsys.readouterr()
    assert written.out == ""
    for text in (written.err, (tmp_path / "evaluate.log").read_text(encoding="utf-8")):
        first, *rest = text.splitlines()
        assert first.endswith(r"pictures=a\n\x1b[31m\udce9\u202e cannot be opened.")
        assert rest[0].endswith("It failed.")
        assert rest[1] == "Traceback (most recent call last):"
        assert rest[-2:] == ["ValueError: two", r"lines\x1b[2J"]


def test_both_loggings_of_hydra_write_lines_to_standard_error() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        hydra = compose("train", return_hydra_config=True).hydra
    for part in (hydra.job_logging, hydra.hydra_logging):
        assert part.formatters.simple["class"] == f"{Lines.__module__}.{Lines.__name__}"
        assert part.handlers.console.stream == "ext://sys.stderr"


@pytest.mark.parametrize("watched", [True, False])
def test_progress_is_shown_on_standard_error_to_whom_watches(
    watched: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    err = Terminal() if watched else io.StringIO()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", err)
    assert list(track(range(3), "Counting")) == [0, 1, 2]
    assert ("Counting" in err.getvalue()) == watched
    assert Progress().is_enabled == watched
    assert capsys.readouterr().out == ""


def test_progress_is_logged_where_nobody_watches(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = iter([0.0, 4.0, 12.0, 16.0, 30.0, 31.0])  # of the first item's arrival, and each end
    monkeypatch.setattr(terminal, "monotonic", lambda: next(now))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    caplog.set_level(logging.INFO)
    assert list(track("abcde", "Counting", 1000)) == list("abcde")
    assert caplog.messages == [
        "Counting: 2 of 1,000, 3 h left, 0.0833/s",  # one more in 12 s
        "Counting: 4 of 1,000, 3 h left, 0.1/s",
    ]
    caplog.clear()
    now = iter([0.0, 10.0])
    assert list(track((letter for letter in "a"), "Counting")) == ["a"]
    assert caplog.messages == ["Counting: 1, 0.1/s"], "nobody knows how many there are"
    assert list(track("abc", "Counting", disable=True)) == list("abc")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at http://me:s3cret@host:5000/x", "at http://***@host:5000/x"),
        (r"uri=http\://me\:s3cret@host", r"uri=http\://***@host"),  # as Hydra writes an override
        ("sqlite:////tmp/a.db", "sqlite:////tmp/a.db"),
        ("me@host", "me@host"),
    ],
)
def test_log_lines_hold_no_password(text: str, shown: str) -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, "%s", (text,), None)
    assert Lines("%(message)s").format(record) == shown
