"""What came out, in sentences."""

from collections.abc import Sequence

from latenthash.metrics.bootstrap import Measure

OTHERS = {
    "test/fpr_noise_edited": "Noise edited",
    "test/fpr_noise_similar": "Noise similar",
    "test/fpr_unseen": "unseen pictures",
}


def outcome(measures: Sequence[Measure]) -> str:
    """Say how often a hash recognised its picture, and how often it took another one for it.

    Args:
        measures: the held-out figures.
    """
    counts = {
        measure.name: f"{round(measure.value * measure.trials)} of {measure.trials}"
        for measure in measures
        if measure.trials
    }
    others = ", ".join(f"{counts[name]} ({who})" for name, who in OTHERS.items())
    return (
        f"The same picture was recognised in {counts['test/tpr']} new views. Views of other "
        f"pictures that were let in: {others}."
    )
