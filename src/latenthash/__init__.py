"""latenthash: learn, judge and use perceptual hashes."""

from collections.abc import Sequence
from importlib.metadata import version

__version__ = version("latenthash")


class InputError(ValueError):
    """What the user gave cannot be used; the message names it and the way out.

    Args:
        problems: one sentence each; all that were found, not only the first.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class JobError(RuntimeError):
    """The work came to nothing, or not to all it should, for a reason that a sentence explains."""
