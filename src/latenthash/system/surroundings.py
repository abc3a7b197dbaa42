"""Keep other programs' variables and a missing home from changing how a command runs.

A command can start inside a job of Slurm, under torchrun, in a notebook, or in the shell of
another project. Whatever their variables say, a job of ours is one process on one device.
"""

import logging
import os

# Lightning takes these as arguments of every Trainer: PL_TRAINER_FAST_DEV_RUN ends a training
# after one batch, and says nothing.
TRAINER = "PL_TRAINER_"


def settle() -> None:
    """Take out of this process's environment what is meant for others.

    Called by the commands before anything else is imported, and never by the library, which may
    run in somebody's process. Parallel jobs inherit the environment.
    """
    for name in [name for name in os.environ if name.startswith(TRAINER)]:
        del os.environ[name]
    # A notebook names its own backend, which matplotlib refuses where it is not installed.
    os.environ["MPLBACKEND"] = "agg"
    # Without a home folder it keeps its list of fonts in a temporary one, and warns of it.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
