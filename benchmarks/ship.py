"""Make a bundle the code that ships, `evaluate.py run=code`: in half precision, with no paths.

Command, after train.py +experiment=code data.outliers=PATH:
    .venv/bin/python benchmarks/ship.py BUNDLE
"""

import dataclasses
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from omegaconf import OmegaConf

from latenthash.hashing.bundle import Bundle
from latenthash.jobs.open import SHIPPED_ID
from latenthash.options.jobs import SHIPPED

FOLDER = Path(__file__).parent.parent / "src" / "latenthash" / "shipped" / SHIPPED


def main() -> None:
    """Write the files beside those that are there, then in their place."""
    bundle = Bundle.load(Path(sys.argv[1]))
    config = OmegaConf.create(bundle.config)
    config.data.outliers = "photographs"
    weights = {
        name: weight.half() if weight.is_floating_point() else weight
        for name, weight in bundle.weights.items()
    }
    text = OmegaConf.to_yaml(config)
    shipped = dataclasses.replace(bundle, weights=weights, config=text, run_id=SHIPPED_ID)
    with TemporaryDirectory(dir=FOLDER.parent) as folder:
        made = Path(folder, SHIPPED)
        shipped.save(made)
        shutil.rmtree(FOLDER, ignore_errors=True)
        made.rename(FOLDER)


if __name__ == "__main__":
    main()
