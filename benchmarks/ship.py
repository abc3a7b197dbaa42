"""Make a bundle a code that ships, `evaluate.py run=code`: in half precision, with no paths.

Command, after train.py +experiment=fast_code data.outliers=PATH, or +experiment=code:
    .venv/bin/python benchmarks/ship.py BUNDLE code
    .venv/bin/python benchmarks/ship.py BUNDLE code PATH      # fits the shorter code anew
    .venv/bin/python benchmarks/ship.py BUNDLE vgg16_code
"""

import dataclasses
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from omegaconf import OmegaConf

from latenthash.data.collection import Collection
from latenthash.data.reading import Reader
from latenthash.hashing.bundle import Bundle
from latenthash.jobs.build import build_hasher, bundle_config
from latenthash.jobs.open import SHIPPED_ID
from latenthash.models.contrastive import Contrastive
from latenthash.options.jobs import SHIPPED_CODES

SHIPPED = Path(__file__).parent.parent / "src" / "latenthash" / "shipped"
READER = Reader(512, 10**8, (255, 255, 255))
SMALL = 3000  # numbers, of tensors that stay as they are: batch norms, for the same bits


def main() -> None:
    """Write the files, then put them in the place of those that are there."""
    given, name, *folder = sys.argv[1:]
    if name not in SHIPPED_CODES:
        raise SystemExit(f"{name} is none of {', '.join(SHIPPED_CODES)}.")
    bundle = Bundle.load(Path(given))
    if folder:
        bundle = with_shorter_code(bundle, folder[0])
    config = OmegaConf.create(bundle.config)
    config.data.outliers = "photographs"
    weights = {
        key: weight.half() if weight.is_floating_point() and weight.numel() > SMALL else weight
        for key, weight in bundle.weights.items()
    }
    text = OmegaConf.to_yaml(config)
    shipped = dataclasses.replace(bundle, weights=weights, config=text, run_id=SHIPPED_ID)
    with TemporaryDirectory(dir=SHIPPED) as folder:
        made = Path(folder, name)
        shipped.save(made)
        (SHIPPED / name).mkdir(exist_ok=True)
        for file in made.iterdir():  # what else lies there says where it is from
            file.replace(SHIPPED / name / file.name)


def with_shorter_code(bundle: Bundle, folder: str) -> Bundle:
    """Fit the shorter code of a bundle to the photographs in a folder, as its training would."""
    hasher = build_hasher(bundle_config(bundle), None)
    hasher.load_state_dict(bundle.weights)
    assert isinstance(hasher.model, Contrastive)
    pictures = Collection(
        outliers=folder,
        reader=READER,
        held_out=2,
        graphics=0,
        size=hasher.features.size,
        seed=0,
        cache=None,
    )
    (seen,) = pictures.train().values()
    hasher.eval()
    hasher.model.shorten(seen.views.permute(0, 3, 1, 2))
    return dataclasses.replace(bundle, weights=hasher.state_dict())


if __name__ == "__main__":
    main()
