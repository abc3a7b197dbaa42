"""Train a hash: see the commands at the top of conf/train.yaml."""

import hydra
from omegaconf import DictConfig

from latenthash.jobs.command.entry import run


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(cfg: DictConfig) -> None:
    """Run one job of the composed config."""
    from latenthash.jobs.train import train  # heavy imports wait, so that --help answers at once

    train(cfg)


if __name__ == "__main__":
    run(main)
