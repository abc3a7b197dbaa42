"""The commands: train.py and evaluate.py of a checkout, and `latenthash` for who installed it.

Light, for it is imported before the config is composed: --help answers at once.
"""

import os
import sys
from importlib.resources import files
from pathlib import Path
from typing import NoReturn

import hydra
from omegaconf import DictConfig

from latenthash.jobs.command.asked import completed
from latenthash.jobs.command.entry import REFUSED, run
from latenthash.options.kinds import nearest
from latenthash.system.calling import SCRIPT

COMPLETION = ("-sc", "--shell-completion")  # Hydra's flag
LINE = "COMP_LINE"  # the shell's variable: what was typed before Tab
HELP = f"""\
Learn, judge and use perceptual hashes.

  {SCRIPT} train +experiment=girl_vs_earth_sushi    train a hash
  {SCRIPT} evaluate run=code pictures=PATH          apply one, or judge it
  {SCRIPT} train --help                             the options of a command
"""


def _configs() -> Path:
    """Find conf/, which lies in the package of a wheel and at the top of a checkout."""
    package = Path(str(files("latenthash")))
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent.parent / "conf"


CONF = str(_configs())


@hydra.main(version_base="1.3", config_path=CONF, config_name="train")
def _train(cfg: DictConfig) -> None:
    """Run one job of the composed config."""
    from latenthash.jobs.train import train  # heavy imports wait, so that --help answers at once

    train(cfg)


@hydra.main(version_base="1.3", config_path=CONF, config_name="evaluate")
def _evaluate(cfg: DictConfig) -> None:
    """Run the job that the command asks for."""
    from latenthash.jobs.evaluate import evaluate  # heavy imports wait: --help answers at once

    evaluate(cfg)


def train() -> None:
    """Train a hash, as the command line says."""
    run(_train)


def evaluate() -> None:
    """Judge a trained hash or apply it to pictures, as the command line says."""
    run(_evaluate, completed)


COMMANDS = {"train": train, "evaluate": evaluate}


def main() -> None:
    """Run the command that the first word names; exit code 2 when it names none."""
    if not sys.argv[1:]:
        _refuse(f"Name a command, {' or '.join(COMMANDS)}; {SCRIPT} --help shows how.")
    verb, *rest = sys.argv[1:]
    if verb in COMPLETION:
        verb, rest = _completed(), [verb, *rest]
        if not verb:
            return
    if verb in ("-h", "--help"):
        sys.stdout.write(HELP)
        return
    if verb not in COMMANDS:
        _refuse(f"{verb} is not one of {', '.join(COMMANDS)}{nearest(verb, COMMANDS) or '.'}")
    sys.argv[1:] = rest
    COMMANDS[verb]()


def _refuse(sentence: str) -> NoReturn:
    sys.stderr.write(f"{sentence}\n")
    sys.exit(REFUSED)


def _completed() -> str:
    """Return the command whose options a shell asks for; offer the commands where there is none.

    Hydra completes the rest of the line as if there were one command alone.
    """
    if LINE not in os.environ:  # it installs the completion, which is the same for all
        return next(iter(COMMANDS))
    script, _, rest = os.environ[LINE].lstrip().partition(" ")
    verb, space, line = rest.lstrip().partition(" ")
    if not space or verb not in COMMANDS:
        sys.stdout.write(" ".join(COMMANDS) + "\n")
        return ""
    os.environ[LINE] = f"{script} {line}"
    return verb
