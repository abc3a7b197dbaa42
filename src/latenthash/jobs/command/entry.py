"""How a command begins and ends: its line as it was typed, and what goes wrong in a sentence.

Light, for it is imported before the config is composed: --help answers at once.
"""

import os
import sys
from collections.abc import Callable, Sequence
from traceback import format_exception, walk_tb

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from latenthash.jobs.command.mistakes import explain
from latenthash.jobs.command.resolvers import register_resolvers
from latenthash.jobs.command.typed import as_typed
from latenthash.options.kinds import is_ours
from latenthash.system.endings import endings
from latenthash.system.surroundings import settle
from latenthash.system.terminal import without_password

FAILED, REFUSED, INTERRUPTED = 1, 2, 130  # exit codes; the last is a shell's for Ctrl-C
# What Hydra raises of a command line.
REFUSING = (HydraException, OmegaConfBaseException, ValueError, AssertionError, OSError)


def run(main: Callable[[], object], complete: Callable[[Sequence[str]], list[str]] = list) -> None:
    """Run a Hydra application; exit code 2 when its command line cannot be used.

    Args:
        main: the application.
        complete: adds to the command line what it leaves unsaid.
    """
    settle()
    register_resolvers()
    sys.argv[1:] = complete(as_typed(sys.argv[1:]))
    # Hydra prints what it refuses and ends with exit code 1; with this it raises instead.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        with endings:
            main()
    except KeyboardInterrupt:
        _end("Interrupted.", INTERRUPTED)
    except Exception as error:
        if isinstance(error, REFUSING) and not _is_of_a_job(error):
            _end(explain(error, sys.argv[1:]), REFUSED)
        # A fault of ours. The address of a server may be part of it.
        _end(without_password("".join(format_exception(error))), FAILED)


def _is_of_a_job(error: BaseException) -> bool:
    """Say whether an error is from a job, not from Hydra's reading of the command."""
    modules = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
    return any(is_ours(name) and name != __name__ for name in modules)


def _end(sentence: str, code: int) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.exit(code)
