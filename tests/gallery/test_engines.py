"""Engines find the same rows, and tell no password."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from galleries import entries, flipped
from latenthash.errors import InputError
from latenthash.gallery import engines
from latenthash.gallery.engines import FaissEngine, NumpyEngine, Pairs, open_engine
from latenthash.gallery.entries import Entries
from latenthash.gallery.names import Names, kept
from postgres_server import PASSWORD, NoServer, postgres_server


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    pytest.importorskip("psycopg", reason="pip install 'latenthash[postgres]'")
    try:
        with postgres_server() as uri:
            yield uri
    except NoServer as reason:
        pytest.skip(f"no PostgreSQL: {reason}")


def given(rng: np.random.Generator, n: int = 300) -> tuple[Entries, np.ndarray]:
    """Codes, some planted at known distances of the first four; a fifth cannot be used."""
    codes = rng.integers(0, 256, (n, 32), dtype=np.uint8)
    for i, distance in enumerate((0, 1, 20, 21, 256)):
        codes[100 + i] = flipped(codes[i % 4], rng.permutation(256)[:distance])
    usable = np.ones(n, np.bool_)
    usable[::5] = False
    codes[~usable] = 0
    names = [f"f{i:05d}.png" for i in range(n - 1)] + ["x\udcff\n\\" + 4000 * "x"]
    return entries(codes, usable, names), codes[[1, 2, 3, 101, 7]]


def by_hand(among: Entries, queries: np.ndarray, threshold: int, first: int = 0) -> list[tuple]:
    bits = np.unpackbits(among.codes, axis=1).astype(int)
    wanted = np.unpackbits(queries, axis=1).astype(int)
    distances = (wanted[:, None] != bits).sum(-1)
    return sorted(
        (q, int(distances[q, row]), row)
        for q in range(len(queries))
        for row in range(first, len(among))
        if among.usable[row] and distances[q, row] <= threshold
    )


def rows(pairs: Pairs) -> list[tuple]:
    return list(zip(pairs.query.tolist(), pairs.distance.tolist(), pairs.row.tolist(), strict=True))


@pytest.fixture(params=["numpy", "faiss", "postgres"])
def engine_name(request: pytest.FixtureRequest) -> str:
    if request.param == "faiss":
        pytest.importorskip("faiss", reason="pip install 'latenthash[search]'")
    return str(request.param)


@pytest.fixture
def uri(engine_name: str, request: pytest.FixtureRequest) -> str | None:
    return request.getfixturevalue("database") if engine_name == "postgres" else None


@pytest.mark.parametrize("threshold", [0, 1, 20, 110, 255, 256])
def test_every_row_within_is_found(
    engine_name: str,
    uri: str | None,
    threshold: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engines, "BLOCK", 64)
    among, queries = given(np.random.default_rng(0))
    with open_engine(engine_name, among, tmp_path, uri) as engine:
        for first in (0, 102, 300):
            found = rows(engine.within(queries, threshold, first))
            assert found == by_hand(among, queries, threshold, first)
        assert rows(engine.within(queries[:0], threshold)) == []


def test_gallery_with_nothing_usable_has_nothing(
    engine_name: str, uri: str | None, tmp_path: Path
) -> None:
    codes = np.zeros((2, 32), np.uint8)
    with open_engine(engine_name, entries(codes, np.zeros(2, np.bool_)), tmp_path, uri) as engine:
        assert rows(engine.within(codes, 256)) == []


def test_numpy_counts_the_same_of_many_and_of_few() -> None:
    rng = np.random.default_rng(1)
    codes = np.repeat(rng.integers(0, 256, (1, 32), dtype=np.uint8), 500, axis=0)
    for i in range(500):
        codes[i] = flipped(codes[i], rng.permutation(256)[: i // 2])
    among = entries(codes)
    for threshold in (3, 120, 200, 249):
        assert rows(NumpyEngine(among).within(codes[:3], threshold)) == by_hand(
            among, codes[:3], threshold
        )


def test_faiss_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    among, _ = given(np.random.default_rng(0))
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"latenthash\[search\]"):
        FaissEngine(among)
    with open_engine("auto", among, Path()) as engine:
        assert isinstance(engine, NumpyEngine)
    with (
        pytest.raises(InputError, match=r"latenthash\[postgres\]"),
        open_engine("postgres", among, Path(), None),
    ):
        pass


def test_auto_takes_faiss_where_it_is_installed() -> None:
    pytest.importorskip("faiss", reason="pip install 'latenthash[search]'")
    among, _ = given(np.random.default_rng(0))
    with open_engine("auto", among, Path()) as engine:
        assert isinstance(engine, FaissEngine)


def test_table_follows_its_gallery(database: str, tmp_path: Path) -> None:
    import psycopg

    among, queries = given(np.random.default_rng(2))
    gone = np.array([i for i in range(300) if i != 103])
    less = replace(
        among,
        files=[among.files[i] for i in gone],
        codes=among.codes[gone].copy(),
        usable=among.usable[gone],
    )
    less.codes[2] = less.codes[50]  # a file that was changed, too
    for state in (among, among, less, among):
        with open_engine("postgres", state, tmp_path, database) as engine:
            assert rows(engine.within(queries, 60)) == by_hand(state, queries, 60)
    (table,) = tmp_path.iterdir()
    with psycopg.connect(database) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {table.read_text()}").fetchone()
    assert count == among.usable.sum()
    with (
        open_engine("postgres", among, tmp_path, database),
        open_engine("postgres", less, _folder(tmp_path / "other"), database) as engine,
    ):  # each gallery has a table of its own
        assert rows(engine.within(queries, 60)) == by_hand(less, queries, 60)


def test_rows_are_written_once(database: str, tmp_path: Path) -> None:
    import psycopg

    among, _ = given(np.random.default_rng(3))
    more = replace(among, usable=among.usable | (np.arange(300) == 5))
    with open_engine("postgres", among, tmp_path, database):
        pass
    table = next(tmp_path.iterdir()).read_text().strip()
    with psycopg.connect(database) as connection:
        before = connection.execute(f"SELECT file, xmin::text FROM {table}").fetchall()
    with open_engine("postgres", more, tmp_path, database):
        pass
    with psycopg.connect(database) as connection:
        after = connection.execute(f"SELECT file, xmin::text FROM {table}").fetchall()
    assert {file for file, _ in set(after) - set(before)} == {"f00005.png"}


def test_rows_that_are_there_are_not_gone_through(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from latenthash.gallery import postgres

    listed, _ = given(np.random.default_rng(4))
    column = pa.array(["before", *map(kept, listed.files)])[1:]
    among = replace(listed, files=Names(column))
    with open_engine("postgres", listed, tmp_path, database):
        pass

    def fails(*_: object) -> None:
        raise AssertionError("a pass over all rows")

    with monkeypatch.context() as patch:
        for owner, name in ((Names, "__iter__"), (Names, "__getitem__"), (postgres, "_bits")):
            patch.setattr(owner, name, fails)
        with open_engine("postgres", among, tmp_path, database):
            pass
        renamed = replace(among, files=Names(pa.array(["0", *column.to_pylist()[1:]])))
        for changed in (renamed, replace(among, codes=among.codes[::-1])):
            with (
                pytest.raises(AssertionError, match="a pass"),
                open_engine("postgres", changed, tmp_path, database),
            ):
                pass


@pytest.mark.parametrize(
    "given_uri",
    [
        "postgresql://me:{word}@127.0.0.1:1/none",
        "postgresql://me:{word}@/none?nonsense=1",
        "postgresql:///none?password={word}",
        "postgresql:///none?%70assword={word}",
        "host=127.0.0.1 port=1 password={word}",
        "mysql://me:{word}@127.0.0.1/none",
        "postgresql://me:{word}@[::1/none",
    ],
)
def test_no_password_is_told(given_uri: str, tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="pip install 'latenthash[postgres]'")
    among, _ = given(np.random.default_rng(0))
    with (
        pytest.raises(InputError, match="database") as refused,
        open_engine("postgres", among, tmp_path, given_uri.format(word="hush-hush")),
    ):
        pass
    assert "hush" not in str(refused.value)
    behind = refused.value
    assert behind.__cause__ is None and (behind.__suppress_context__ or not behind.__context__)


def test_wrong_password_is_not_told(database: str, tmp_path: Path) -> None:
    among, _ = given(np.random.default_rng(0))
    wrong = database.replace("sesame", "barley")
    with (
        pytest.raises(InputError, match="password authentication failed") as refused,
        open_engine("postgres", among, tmp_path, wrong),
    ):
        pass
    assert "barley" not in str(refused.value) and PASSWORD not in str(refused.value)


def test_damaged_name_of_the_table_is_refused(database: str, tmp_path: Path) -> None:
    among, _ = given(np.random.default_rng(0))
    (tmp_path / "postgres-table.txt").write_text("pg_catalog; DROP")
    with (
        pytest.raises(InputError, match="names no table"),
        open_engine("postgres", among, tmp_path, database),
    ):
        pass


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
