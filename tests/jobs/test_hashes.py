"""Comparing printable hashes and codes: a row a pair, and what cannot be compared is refused."""

from pathlib import Path

import pandas as pd
import pytest

from app import call
from latenthash.cache import DiskCache
from latenthash.codes.latent import Latent
from latenthash.errors import InputError
from latenthash.hashing import printable_code
from latenthash.hashing.printable import BITS, MEASURED
from latenthash.hashing.printable_code import PrintableCode
from latenthash.jobs.at_hand import bundle_at_hand
from latenthash.jobs.build import bundle_config, restore
from latenthash.jobs.hashes import comparison
from latenthash.options.jobs import SHIPPED
from printables import TAG, example, example_code


def test_codes_are_compared_each_with_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printable_code, "MEASURED", {TAG.hex(): {1e-3: 70, 1e-6: 50}})
    codes = [bytes(32), bytes(24) + b"\xff" * 8, b"\xff" * 32]
    table = comparison([str(PrintableCode(TAG, bits)) for bits in codes])
    assert table.to_dict("list") == {
        "hashes": ["1 and 2", "1 and 3", "2 and 3"],
        "distance (of 256 bits)": [64, 256, 192],
        "share": [0.75, 0, 0.25],
        "same up to": [70, 70, 70],
        "at FPR": ["0.001", "0.001", "0.001"],
        "same picture": ["yes", "no", "no"],
    }
    same = comparison([str(PrintableCode(TAG, bits)) for bits in (codes[0], codes[0])])
    assert list(same.loc[0, ["same up to", "at FPR"]]) == [50, "1e-06"]


def test_codes_that_were_not_measured_have_their_distance_alone() -> None:
    table = comparison([str(example_code()), str(example_code())])
    assert list(table.loc[0])[1:] == [0, 1, "", "", "not measured"]


def test_every_hash_that_cannot_be_read_is_named() -> None:
    with pytest.raises(InputError) as error:
        comparison(["LH3-a-b-c", str(example()), "nonsense", str(example_code())[:-1]])
    assert len(error.value.problems) == 3
    with pytest.raises(InputError, match="two printable hashes or more"):
        comparison([str(example())])


def test_codes_of_the_code_that_ships_get_a_verdict(tmp_path: Path) -> None:
    """Other weights have other distances: `benchmarks/printable_code.py` measures them."""
    bundle = bundle_at_hand(SHIPPED)
    assert bundle is not None
    cache = DiskCache(folder=str(tmp_path), max_bytes=0)
    latent = Latent("any", restore(bundle, bundle_config(bundle), cache))
    assert latent.tag.hex() in printable_code.MEASURED


def test_hashes_are_compared_on_the_command_line(tmp_path: Path) -> None:
    measured = next(iter(MEASURED))
    texts = [str(example(seed, measured)) for seed in (0, 0, 1)]
    done = call("evaluate.py", tmp_path, f"hashes=[{','.join(texts)}]")
    assert done.code == 0, done.output
    (csv,) = tmp_path.rglob("hashes.csv")
    table = pd.read_csv(csv)
    assert list(table["hashes"]) == ["1 and 2", "1 and 3", "2 and 3"]
    assert list(table["same picture"]) == ["yes", "no", "no"]
    assert table["shared positions"][0] == BITS
    assert not (tmp_path / "mlflow.db").exists(), "neither a run nor a store is needed"


def test_codes_are_compared_on_the_command_line(tmp_path: Path) -> None:
    measured = bytes.fromhex(next(iter(printable_code.MEASURED)))
    texts = [str(example_code(seed, measured)) for seed in (0, 0, 1)]
    done = call("evaluate.py", tmp_path, f"hashes=[{','.join(texts)}]", "format=csv")
    assert done.code == 0, done.output
    (csv,) = tmp_path.rglob("hashes.csv")
    table = pd.read_csv(csv)
    assert list(table["same picture"]) == ["yes", "no", "no"], "random bits differ in half"
    assert table["at FPR"][0] == 1e-6


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ([str(example())], "two printable hashes or more"),
        ([str(example()), str(example(model="vgg16"))], "are not comparable"),
        ([str(example()), str(example())[:-1]], "not as it was printed"),
        ([str(example()), str(example_code())], "Hashes of LH1 and of LH2 are not comparable"),
    ],
)
def test_hashes_that_cannot_be_compared_are_refused(
    tmp_path: Path, texts: list[str], sentence: str
) -> None:
    done = call("evaluate.py", tmp_path, f"hashes=[{','.join(texts)}]")
    assert done.code == 2
    assert sentence in done.output
    assert "Traceback" not in done.output
