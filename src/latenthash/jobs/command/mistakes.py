"""Sentences that say what Hydra refused, and what may have been meant."""

from collections.abc import Sequence

from hydra.errors import MissingConfigException
from omegaconf.errors import OmegaConfBaseException

from latenthash.jobs.command.typed import parsed
from latenthash.options.kinds import nearest, nearest_option
from latenthash.options.moved import MOVED

# Files of Hydra's plugins -> the extra that has the plugin.
LAUNCHERS = {"joblib": "parallel", "submitit_slurm": "slurm", "submitit_local": "slurm"}


def explain(error: Exception, line: Sequence[str] = ()) -> str:
    """Say what Hydra refused.

    Args:
        error: what it raised.
        line: arguments of the command.
    """
    if isinstance(error, MissingConfigException):
        group, _, name = str(error.missing_cfg_file).rpartition("/")
        if group == "hydra/launcher" and name in LAUNCHERS:
            return (
                f"This launcher needs a package that is not installed: "
                f"pip install 'latenthash[{LAUNCHERS[name]}]'"
            )
        if not error.options:  # of one file among several, Hydra does not list the others
            return f"{group}={name} is no file of conf/{group}."
        files = ", ".join(error.options)
        return f"{group}={name} is not one of {files}{nearest(name, error.options) or '.'}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be written: {error.strerror}. Name another folder."
    cause = error.__cause__
    words = " ".join(str(error).partition("full_key:")[0].split())
    if isinstance(cause, OmegaConfBaseException) and cause.parent_node is not None:
        # Their names, and not their nodes: an option of another command cannot be resolved.
        known = [str(key) for key in cause.parent_node]
        return f"{cause.full_key} is no option{nearest_option(str(cause.full_key), known) or '.'}"
    if "Config group override must be" in words:
        return "An option such as model=NAME cannot be null: leave it away, or name a file of it."
    if moved := [name for name in MOVED if f"'{name}'" in words]:
        return f"{moved[0]} is {MOVED[moved[0]]} now."
    if unread := [part for part in line if "=" in part and not parsed(part)]:
        return f"{unread[0]} cannot be read: {words}"
    return words or type(error).__name__
