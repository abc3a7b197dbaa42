"""The thesis's own rule as a binding: a centroid and a radius of a picture's edited views."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from latenthash.data.reading import Picture, Pixels
from latenthash.data.views import Edit, Views, pipeline
from latenthash.errors import InputError
from latenthash.hashing.enrolled import Hash, LatentSet, calibration_rank
from latenthash.library.code import Code
from latenthash.watermark.bindings import Agreement, code_distance
from latenthash.watermark.describing import bundle_of
from latenthash.watermark.manifest import Enrolled, Manifest
from latenthash.watermark.query import Query

SIDE = 384  # px, of views: twice what the network sees
DIGITS = 5  # of the centroid's numbers: manifests are read by people, too


@dataclass(frozen=True)
class CentroidBinding:
    """Floats of a code within the radius of those of the registered picture's views.

    The encoder is one that was trained before and stays as it is, so that to enrol takes seconds.

    Args:
        augment: name -> edit of the views, in order.
        views: that make the centroid, and as many others that set the radius.
        alpha: share of the picture's own views that may fall outside.

    Raises:
        InputError: if there are too few views for alpha.
    """

    augment: Mapping[str, Edit]
    views: int
    alpha: float
    name: str = field(default="centroid", init=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        calibration_rank(self.views, self.alpha)

    def enrol(self, picture: Picture, code: Code) -> Enrolled:
        """Take centroid and radius of a picture that is to be marked.

        Raises:
            InputError: if its views show too little.
        """
        steps = pipeline(list(self.augment.values()), SIDE)
        with self._lock:  # an edit has one random state
            drawn = {
                split: [Views([picture], steps, 0, split, self.views)[i] for i in range(self.views)]
                for split in ("centroid", "radius")
            }
        train, calibration = (_latents(code, views) for views in drawn.values())
        found = Hash.enroll(train, calibration, self.alpha)
        return Enrolled(
            bundle=bundle_of(code),
            centroid=[round(float(value), DIGITS) for value in found.centroid],
            radius=found.radius,
        )

    def compare(self, query: Query, manifest: Manifest) -> Agreement:
        """Measure the distance to the centroid; see `Binding.compare`.

        Raises:
            InputError: if the picture was registered without one.
        """
        enrolled = manifest.hash.enrolled
        if enrolled is None:
            raise InputError(
                "The picture was marked without a centroid, which binding=centroid compares with: "
                "verify it with binding=code_registration, or mark it anew with binding=centroid."
            )
        distance = code_distance(query, manifest)
        if distance is None:  # no detail, or another network
            return Agreement(False, None)
        floats = query.hash.floats
        assert floats is not None, "binding=centroid needs hashes with floats"
        hash_ = Hash(np.array(enrolled.centroid), enrolled.radius)
        away = hash_.distances(floats[None].astype(np.float64))[0]
        return Agreement(bool(away <= enrolled.radius), None, distance)


def _latents(code: Code, views: Sequence[Pixels]) -> LatentSet:
    """Describe views; those that show no detail are left out."""
    hashes = [code.hash(view, floats=True) for view in views]
    z = np.array([hash_.floats for hash_ in hashes if hash_.floats is not None], np.float64)
    return LatentSet(z, np.arange(len(z)))
