"""What trials come to: names of figures, their values, and tables of them."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from latenthash.data.reading import Picture
from latenthash.metrics.bootstrap import Measure
from latenthash.watermark import results
from latenthash.watermark.trials import ATTACKS, EDITS, FOREIGN, PLAIN, UNMARKED, Marked, Trial
from marks import manifest, owner


def trial(picture: int, kind: str, name: str, **more: Any) -> Trial:
    values: dict[str, Any] = {
        "family": name, "status": "verified", "exact": True, "known": True, "wrong": False,
        "errors": 0.0, "conflict": False, "psnr": math.nan, "seconds": 1.0,
        "agrees": {"code": True, "identity": True}, "copy": False,
    }  # fmt: skip
    return Trial(picture, kind, name, **values | more)


TRIALS = [
    trial(0, EDITS, "blur", errors=0.1),
    trial(1, EDITS, "blur", exact=False, known=False, status="stripped", errors=0.3),
    trial(0, EDITS, "grey", exact=False, seconds=3.0),
    trial(1, EDITS, "grey", agrees={"code": False, "identity": True}),
    trial(0, ATTACKS, "recode", status="copied", psnr=40.0, copy=True,
          agrees={"code": False, "identity": True}),
    trial(1, ATTACKS, "recode", status="copied", psnr=42.0, copy=True),
    trial(0, ATTACKS, "overwrite", exact=False, known=False, conflict=True, psnr=38.0),
    trial(0, PLAIN, UNMARKED, status="stripped", exact=False, known=False),
    trial(2, PLAIN, FOREIGN, status="unknown", wrong=True, agrees={}, errors=math.nan),
]  # fmt: skip
PIXELS = np.zeros((16, 16, 3), np.uint8)


MARKED = [
    Marked(Picture("", PIXELS, ""), PIXELS + 1, bytes(8), bytes(8), manifest(owner()), (), i)
    for i in (1.0, 2.0)
]


@pytest.fixture(scope="module")
def found() -> dict[str, Measure]:
    return results.measured(TRIALS, MARKED, 20, 0)


def test_figures_are_means_under_the_names_of_mlflow(found: dict[str, Measure]) -> None:
    measures = {name: measure.value for name, measure in found.items()}
    expected = {
        "watermark/exact_id": 2 / 4, "watermark/known_id": 3 / 4, "watermark/verified": 3 / 4,
        "watermark/bit_errors": 0.1, "watermark/wrong_ids": 0.0, "watermark/verify_seconds": 1.5,
        "watermark/unmarked/wrong_ids": 1 / 2, "watermark/copies/verified": 0.0,
        "watermark/code/genuine": 3 / 4, "watermark/code/copies": 1 / 2,
        "watermark/identity/genuine": 1.0, "watermark/identity/copies": 1.0,
        "watermark/embed_seconds": 1.5, "watermark/psnr": 20 * math.log10(255),
        "edits/blur/exact_id": 1 / 2, "edits/blur/bit_errors": 0.2, "edits/grey/exact_id": 1 / 2,
        "edits/grey/known_id": 1.0, "attacks/recode/decoded": 1.0, "attacks/recode/verified": 0.0,
        "attacks/recode/psnr": 41.0, "attacks/recode/taken_by_code": 1 / 2,
        "attacks/overwrite/conflicts": 1.0, "attacks/overwrite/decoded": 0.0,
    }  # fmt: skip
    assert {name: measures[name] for name in expected} == pytest.approx(expected)
    assert not any(name.startswith("attacks/overwrite/taken") for name in measures)
    assert all(map(math.isfinite, measures.values()))


def test_verdicts_are_counted_by_what_was_done() -> None:
    table = results.verdicts_table(TRIALS).set_index("what was done")
    assert table.loc["blur", ["verified", "stripped"]].tolist() == [1, 1]
    assert table.loc["recode", "copied"] == 2
    assert table.loc[FOREIGN, "unknown"] == 1
    assert table.to_numpy().sum() == len(TRIALS)


def test_bindings_stand_in_one_table(found: dict[str, Measure]) -> None:
    table = results.bindings_table(found, ["code", "identity"], ["recode"])
    assert table.columns.tolist() == ["binding", "genuine", "copies", "recode"]
    assert table["recode"].tolist() == ["0.5", "1"]
    shown = results.attacks_table(found, TRIALS)
    assert shown["trials"].tolist() == [2, 1]
    assert shown["shows"].tolist() == ["another picture", "the marked picture"]
    assert isinstance(results.carrier_table(found), pd.DataFrame)
