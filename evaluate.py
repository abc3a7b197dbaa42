"""Judge a trained hash, or apply it to pictures: see the commands in conf/evaluate.yaml."""

from latenthash.jobs.command.commands import evaluate

if __name__ == "__main__":
    evaluate()
