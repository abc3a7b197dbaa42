"""Judge a trained hash, or apply it to pictures: see the commands in conf/evaluate.yaml."""

import hydra
from omegaconf import DictConfig

from latenthash.jobs.command.asked import completed
from latenthash.jobs.command.entry import run


@hydra.main(version_base="1.3", config_path="conf", config_name="evaluate")
def main(cfg: DictConfig) -> None:
    """Run the job that the command asks for."""
    from latenthash.jobs.evaluate import evaluate  # heavy imports wait: --help answers at once

    evaluate(cfg)


if __name__ == "__main__":
    run(main, completed)
