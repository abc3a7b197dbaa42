"""Train a hash: see the commands at the top of conf/train.yaml."""

from latenthash.jobs.command.commands import train

if __name__ == "__main__":
    train()
