"""Train a hash: see the commands at the top of conf/train.yaml."""

import hydra
from omegaconf import DictConfig

from latenthash.endings import endings
from latenthash.resolvers import register_resolvers

register_resolvers()


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(cfg: DictConfig) -> None:
    """Run one job of the composed config."""
    from latenthash.run import train  # heavy imports wait, so that --help answers at once

    train(cfg)


if __name__ == "__main__":
    with endings:
        main()
