"""What came out, in sentences."""

from latenthash.metrics.bootstrap import Measure
from latenthash.report.words import outcome


def test_outcome_counts_views() -> None:
    measures = [
        Measure("test/tpr", 0.94, 0.9, 1.0, 50),
        Measure("test/fpr_noise_edited", 0.0, 0.0, 0.03, 100),
        Measure("test/fpr_noise_similar", 0.29, 0.2, 0.4, 100),  # 0.29 * 100 is 28.999...
        Measure("test/fpr_unseen", 0.25, 0.2, 0.3, 12),
        Measure("separation/margin", 1.0, 1.0, 1.0),
    ]
    assert outcome(measures) == (
        "The same picture was recognised in 47 of 50 new views. Views of other pictures that were "
        "let in: 0 of 100 (Noise edited), 29 of 100 (Noise similar), 3 of 12 (unseen pictures)."
    )
