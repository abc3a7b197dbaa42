"""Figures of fine-tuning."""

import numpy as np
from matplotlib.colors import to_hex

from figures import drawn
from latenthash import plots


def test_training_curves_show_every_epoch_of_both_phases() -> None:
    history = {
        "train_loss": [0.7, 0.4, 0.2], "val_loss": [0.6, 0.5, 0.55],
        "train_accuracy": [0.5, 0.9, 1.0], "val_accuracy": [0.6, 0.8, 0.7],
    }  # fmt: skip
    figure = drawn(plots.training_curves(history))
    loss, accuracy = figure.axes
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        assert axes.get_ylabel().startswith(name)
        assert axes.get_xlabel() == "epoch"
        lines = {str(line.get_label()): line for line in axes.lines}
        assert set(lines) == {"training views", "validation views"}
        for phase, label in (("train", "training views"), ("val", "validation views")):
            x, y = lines[label].get_data()
            assert list(x) == [1, 2, 3]
            assert list(y) == history[f"{phase}_{name}"]
        assert axes.get_legend() is not None
        assert all(float(tick).is_integer() for tick in axes.get_xticks())
    assert "nats" in loss.get_ylabel()


def test_training_curve_of_a_single_epoch_is_drawn() -> None:
    names = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
    figure = drawn(plots.training_curves({name: [0.5] for name in names}))
    for axes in figure.axes:
        for line in axes.lines:
            assert line.get_xydata().tolist() == [[1, 0.5]]
            assert line.get_marker() == "o", "a point alone is seen by its marker only"


def test_confusion_shows_counts_under_the_answers_and_beside_the_sets() -> None:
    answers = {
        "signal": np.array([1, 9]), "noise_edited": np.array([8, 0]), "outliers": np.array([6, 2]),
    }  # fmt: skip
    (axes,) = drawn(plots.confusion(answers)).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["Noise", "Signal"]
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows == ["Signal", "Noise edited", "Outliers"]
    numbers = {text.get_position(): text.get_text() for text in axes.texts}
    assert numbers == {
        (column, row): str(count)
        for row, counts in enumerate(answers.values())
        for column, count in enumerate(counts)
    }
    (image,) = axes.images
    np.testing.assert_allclose(image.get_array(), [[0.1, 0.9], [1, 0], [0.75, 0.25]])
    assert image.get_clim() == (0, 1)
    bottom, top = axes.get_ylim()
    assert bottom > top, "the first set is at the top"
    for text in axes.texts:
        x, y = text.get_position()
        share = image.get_array()[int(y), int(x)]
        assert to_hex(text.get_color()) == to_hex("white" if share > 0.5 else "black")
