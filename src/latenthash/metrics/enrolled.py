"""Held-out figures of an enrolled hash (protocol, task 1), with bootstrap intervals."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import rankdata
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    roc_curve,
    silhouette_score,
)

from latenthash.hashing.enrolled import Hash, Latents, LatentSet
from latenthash.metrics.bootstrap import Measure, bootstrap

NOISE = ("noise_edited", "noise_similar")
FOREIGN = (*NOISE, "unseen")
SILHOUETTE_ROWS = 1000  # drawn from larger sets: its cost grows with their square
OPERATING_POINTS = (0.01, 0.001)  # false-positive rates
EDITS = "edits/"  # this + an unseen edit: the share of the Signal's views under it within R


def held_out(
    hash_: Hash,
    test: Mapping[str, LatentSet],
    edited: Mapping[str, LatentSet],
    resamples: int,
    seed: int,
) -> list[Measure]:
    """Measure a hash on test rows.

    Args:
        hash_: set without any of these rows.
        test: signal, noise_edited, noise_similar and unseen.
        edited: unseen edit -> Signal views under it.
        resamples: draws of the bootstrap.
        seed: of the bootstrap.

    Returns:
        every figure of protocol's task 1; intervals by bootstrap over pictures, over views
        where a set is of one picture.
    """
    rng = np.random.default_rng(seed)
    figures = bootstrap(partial(_task1, hash_), test, _trials, resamples, rng)
    return figures + bootstrap(partial(_tpr, hash_), edited, _trials, resamples, rng)


def _task1(hash_: Hash, sets: Mapping[str, LatentSet]) -> dict[str, float]:
    distances = {role: hash_.distances(rows.z) for role, rows in sets.items()}
    scores = {role: hash_.scores(rows) for role, rows in sets.items()}
    within = {role: s <= 1 for role, s in scores.items()}
    values = {"test/tpr": float(within["signal"].mean())}
    for role in FOREIGN:
        values[f"test/fpr_{role}"] = float(within[role].mean())
        values[f"test/auroc_{role}"] = auroc(scores["signal"], scores[role])
    values["test/fpr_unseen_worst"] = worst_picture(within["unseen"], sets["unseen"].picture)
    roc = roc_points(scores["signal"], scores["unseen"])
    values["test/eer_unseen"] = equal_error_rate(*roc)
    for fpr in OPERATING_POINTS:
        tpr, realised = tpr_at_fpr(*roc, fpr)
        values[f"test/tpr_at_fpr_{fpr}_unseen"] = tpr
        values[f"test/realised_fpr_{fpr}_unseen"] = realised
    return values | separation(sets, distances, hash_.radius)


def _tpr(hash_: Hash, edited: Mapping[str, LatentSet]) -> dict[str, float]:
    return {f"{EDITS}{name}": float(hash_.matches(rows).mean()) for name, rows in edited.items()}


def current_name(name: str) -> str:
    """Return the name of a figure, which runs of version 0.1 called edits/<edit>/tpr."""
    return name.removesuffix("/tpr") if name.startswith(EDITS) else name


def auroc(signal: NDArray[np.float64], foreign: NDArray[np.float64]) -> float:
    """Compute the probability that a Signal view has a lower score than a foreign one.

    Args:
        signal: (N,) scores of the Signal's views.
        foreign: (M,) scores of other pictures' views.
    """
    # Mann-Whitney's U from ranks; scikit-learn's score is the same and fifty times slower.
    n, m = len(signal), len(foreign)
    ranks = rankdata(np.concatenate([foreign, signal]))
    return float(1 - (ranks[m:].sum() - n * (n + 1) / 2) / (n * m))


def roc_points(
    signal: NDArray[np.float64], foreign: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return false- and true-positive rates, both rising, over all radii.

    Args:
        signal: (N,) scores of the Signal's views.
        foreign: (M,) scores of other pictures' views.
    """
    labels = np.repeat([1, 0], [len(signal), len(foreign)])
    scores = -np.concatenate([signal, foreign])
    fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    return fpr, tpr


def equal_error_rate(fpr: NDArray[np.float64], tpr: NDArray[np.float64]) -> float:
    """Compute the rate at which both errors are equal, linear between the points of the ROC."""
    return float(brentq(lambda x: 1 - x - np.interp(x, fpr, tpr), 0.0, 1.0))


def tpr_at_fpr(
    fpr: NDArray[np.float64], tpr: NDArray[np.float64], limit: float
) -> tuple[float, float]:
    """Find the highest TPR on the ROC whose false-positive rate is at most limit, and that rate."""
    best = np.flatnonzero(fpr <= limit)[-1]
    return float(tpr[best]), float(fpr[best])


def worst_picture(within: NDArray[np.bool_], picture: NDArray[np.int64]) -> float:
    """Return the largest share, over pictures, of a picture's views (N,) that match."""
    return float(shares(within, picture).max())


def shares(within: NDArray[np.bool_], picture: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return for each picture, by its number, the share of its views (N,) that match."""
    return np.bincount(picture, within) / np.maximum(np.bincount(picture), 1)


def separation(
    sets: Mapping[str, LatentSet], distances: Mapping[str, NDArray[np.float64]], radius: float
) -> dict[str, float]:
    """Describe how the Signal and the two noise sets lie apart in latent space.

    These figures describe the scatter plot; they say nothing of pictures that are in none of
    the sets.
    """
    roles = ("signal", *NOISE)
    z = np.concatenate([sets[role].z for role in roles])
    labels = np.repeat(np.arange(len(roles)), [len(sets[role].z) for role in roles])
    noise = np.concatenate([distances[role] for role in NOISE])
    margin = float(np.quantile(noise, 0.05) / radius)
    return class_separation(z, labels) | {"separation/margin": margin}


def class_separation(z: Latents, labels: NDArray[np.int64]) -> dict[str, float]:
    """Describe how labelled latents z (N, k) lie apart."""
    rows = SILHOUETTE_ROWS if len(z) > SILHOUETTE_ROWS else None
    silhouette = silhouette_score(z, labels, sample_size=rows, random_state=0)
    return {
        "separation/silhouette": float(silhouette),
        "separation/davies_bouldin": float(davies_bouldin_score(z, labels)),
        "separation/calinski_harabasz": float(calinski_harabasz_score(z, labels)),
        "separation/fisher": fisher(z, labels),
    }


def fisher(z: Latents, labels: NDArray[np.int64]) -> float:
    """Compute Fisher's criterion of labelled latents z (N, k) (Fukunaga 1990, section 10.2).

    It is trace(S_W^-1 S_B), where S_W and S_B are the scatter within and between the classes.
    """
    centre = z.mean(0)
    within = np.zeros((z.shape[1], z.shape[1]))
    between = np.zeros_like(within)
    for label in np.unique(labels):
        rows = z[labels == label]
        mean = rows.mean(0)
        within += (rows - mean).T @ (rows - mean)
        between += len(rows) * np.outer(mean - centre, mean - centre)
    return float(np.trace(np.linalg.pinv(within) @ between))


def _trials(name: str, sets: Mapping[str, LatentSet]) -> int | None:
    """Return the number of views behind a share; None for what is no share."""
    group, _, rest = name.partition("/")
    if group == "edits":
        return len(sets[rest].z)
    if rest == "fpr_unseen_worst":
        return int(np.unique(sets["unseen"].picture, return_counts=True)[1].min())
    roles = {"tpr": "signal"} | {f"fpr_{role}": role for role in FOREIGN}
    roles |= {f"realised_fpr_{fpr}_unseen": "unseen" for fpr in OPERATING_POINTS}
    return len(sets[roles[rest]].z) if rest in roles else None
