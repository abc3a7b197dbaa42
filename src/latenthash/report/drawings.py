"""The drawings of a hash: where test views lie, which match, what the model makes of them."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from latenthash import plots
from latenthash.data.splits import ViewSet
from latenthash.hashing.enrolled import Hash, LatentSet
from latenthash.hashing.hasher import Hasher
from latenthash.metrics.bootstrap import Measure
from latenthash.metrics.enrolled import EDITS
from latenthash.models.components.autoencoder import Autoencoder
from latenthash.models.interface import Decoder, Diagrammed

SHOWN = 10  # reconstructions of each set in the figure
SAMPLES = 36  # pictures made of the prior


def drawings(
    hasher: Hasher,
    hash_: Hash,
    plane: plots.Plane,
    views: Mapping[str, ViewSet],
    test: Mapping[str, LatentSet],
    measures: Sequence[Measure],
    title: str,
) -> Iterator[tuple[str, Figure]]:
    """Draw what a hash makes of the test views, each figure when it is asked for.

    Args:
        hasher: features and model.
        hash_: the hash.
        plane: where latents are drawn.
        views: role -> test views.
        test: role -> their latents.
        measures: the held-out figures.
        title: what the run is called.

    Yields:
        name of the figure, and the figure; some models give more than others.
    """
    z = {role: rows.z for role, rows in test.items()}
    everywhere = np.concatenate(list(z.values()))
    distances = {role: hash_.distances(rows) for role, rows in z.items()}
    judged = {
        role: plots.Judged(rows.z, distances[role] / hash_.radius, hash_.scores(rows))
        for role, rows in test.items()
    }
    unseen = views["unseen"]
    shown = plots.Shown(unseen.views.numpy(), unseen.picture, unseen.names)
    yield (
        "latent_scatter",
        plots.latent_scatter(
            judged, shown, plane, hash_.radius, hash_.gate, f"Test latents of {title}"
        ),
    )
    yield "distances", plots.distance_histogram(distances, hash_.radius)
    tpr = next(measure for measure in measures if measure.name == "test/tpr")
    edits = {
        measure.name.removeprefix(EDITS): measure.interval
        for measure in measures
        if measure.name.startswith(EDITS)
    }
    yield "edits", plots.edit_bars(edits, tpr.value)
    if isinstance(hasher.model, Diagrammed):
        first = {role: views[role].views[:1] for role in ("signal", "noise_edited")}
        diagrams = {role: hasher.diagrams(v)[0] for role, v in first.items()}
        yield "persistence_diagrams", plots.persistence_diagrams(diagrams, ("birth", "death"))
    if isinstance(hasher.model, Decoder):
        yield "decoded_map", plots.decoded_map(hasher.decode, everywhere, plane, hash_.radius)
        if isinstance(hasher.model, Autoencoder):
            samples = hasher.model.prior_samples(SAMPLES).double().numpy()
            yield "prior_samples", plots.prior_samples(hasher.decode(samples))
        originals = {role: s.views[:SHOWN].numpy() / 255 for role, s in views.items()}
        yield (
            "reconstructions",
            plots.reconstructions(
                {role: (v, hasher.decode(z[role][:SHOWN])) for role, v in originals.items()}
            ),
        )
