"""Figures of fine-tuning: its curves, and what it answers."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from latenthash.plots.style import LABELS


def training_curves(history: Mapping[str, list[float]]) -> Figure:
    """Draw loss and accuracy of each epoch.

    Args:
        history: <phase>_loss and <phase>_accuracy -> value of each epoch; phases train and val.
    """
    figure = Figure(figsize=(9, 4), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for phase, label in (("train", "training views"), ("val", "validation views")):
            values = history[f"{phase}_{name}"]
            axes.plot(range(1, len(values) + 1), values, marker="o", label=label)
        axes.set(xlabel="epoch", ylabel=f"{name} (nats per view)" if name == "loss" else name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    figure.suptitle("Fine-tuning on Signal against Noise")
    return figure


def confusion(answers: Mapping[str, NDArray[np.int64]]) -> Figure:
    """Draw what the views of each set were taken for.

    Args:
        answers: role -> number of views taken for Noise and for Signal (2,).
    """
    counts = np.array(list(answers.values()))
    figure = Figure(figsize=(5.5, 0.7 * len(answers) + 1.6), layout="constrained")
    axes = figure.add_subplot(title="Fine-tuning: answers to validation views")
    axes.imshow(counts / counts.sum(1, keepdims=True), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        dark = count > counts[row].sum() / 2
        axes.text(
            column, row, str(count), ha="center", va="center", color="white" if dark else "black"
        )
    axes.set_xticks([0, 1], ["Noise", "Signal"])
    axes.set_yticks(range(len(answers)), [LABELS[role] for role in answers])
    axes.set_xlabel("answer")
    return figure
