"""Registries for the tests of the watermark: the same book in two databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

import latenthash
from marks import Book
from servers import postgres
from shop import Shop, open_shop


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with postgres() as uri:
        yield uri


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Book:
    """Return where a new registry can be made."""
    if request.param == "sqlite":
        return Book(str(tmp_path / "marks.db"), tmp_path / "key.pem")
    uri = request.getfixturevalue("server")
    engine = create_engine(uri.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
    return Book(uri, tmp_path / "key.pem")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return open_shop(tmp_path_factory.mktemp("shop"), latenthash.load("code"))
