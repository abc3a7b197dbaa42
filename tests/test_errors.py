"""How what went wrong reaches the user: sentence, exit code, no traceback."""

import errno
import io
import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

from latenthash.errors import InputError, JobError, refusals


def full(code: int = errno.ENOSPC) -> OSError:
    return OSError(code, "No space left on device")


def wrapped(error: Exception) -> Exception:
    try:
        try:
            raise error
        except OSError as cause:
            raise ValueError("cannot be built") from cause
    except ValueError as outer:
        return outer


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (InputError(["a is bad.", "b is bad."]), 2, "b is bad."),
        (JobError("The training diverged."), 1, "The training diverged."),
        (full(), 1, "is full"),
        (full(errno.EDQUOT), 1, "bytes are free"),
        (wrapped(full()), 1, "make room, or write elsewhere with hydra.run.dir=PATH"),
    ],
)
def test_what_can_be_explained_is_a_sentence(
    error: Exception, code: int, sentence: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SystemExit) as stop, refusals(tmp_path / "not" / "yet"):
        raise error
    assert stop.value.code == code
    assert sentence in caplog.messages[-1]
    assert not any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("error", [ValueError("ours"), PermissionError(errno.EACCES, "no")])
def test_what_cannot_be_explained_is_raised(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error)), refusals(tmp_path):
        raise error


class Full(io.StringIO):
    """A log file on a full disk."""

    def write(self, text: str) -> int:
        """Fail."""
        raise full()


def test_full_disk_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    usage = {tmp_path: 3, Path("/elsewhere"): 10**9}
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/elsewhere")
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=usage[path]))
    monkeypatch.setattr("logging.raiseExceptions", True)
    logger, handler = logging.getLogger("latenthash"), logging.StreamHandler(Full())
    logger.addHandler(handler)
    try:
        with pytest.raises(SystemExit), refusals(tmp_path / "new"):
            logger.warning("on the way")
            raise full()
    finally:
        logger.removeHandler(handler)
    assert f"The disk of {tmp_path} is full (3 bytes are free)" in caplog.text
    assert "Traceback" not in capsys.readouterr().err
