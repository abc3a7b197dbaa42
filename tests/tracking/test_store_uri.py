"""Where a store is: paths and URIs there and back, what is refused, what is told."""

from pathlib import Path

import pytest

from latenthash.errors import InputError
from latenthash.tracking.store_uri import (
    StoreURI,
    artifact_folder,
    hide_passwords,
    local_path,
    sqlite_uri,
    without_password,
)
from project import FOLDERS


@pytest.mark.parametrize("name", FOLDERS)
def test_path_comes_back_from_its_uri(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "mlflow.db"
    store = StoreURI.parse(sqlite_uri(path))
    assert store.database == path
    assert str(store) == str(path)
    assert StoreURI.parse(store.text) == store
    assert local_path((tmp_path / name).as_uri()) == tmp_path / name


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("sqlite:////tmp/a b/c.db", "/tmp/a b/c.db"),
        ("sqlite:////tmp/a%20b/c.db", "/tmp/a b/c.db"),
        ("sqlite+pysqlite:////tmp/c.db", "/tmp/c.db"),
        ("sqlite:///c.db", str(Path.cwd() / "c.db")),
        ("http://127.0.0.1:5000", None),
        ("https://user:word@host/mlflow", None),
    ],
)
def test_servers_and_files_are_taken(uri: str, path: str | None) -> None:
    assert StoreURI.parse(uri).database == (path and Path(path))


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        (None, "is empty"),
        ("", "is empty"),
        (5, "is empty or no text"),
        *(
            (uri, "is no store that can be used")
            for uri in (
                "postgresql://user:word@host/db", "postgresql+psycopg2://user:word@host/db",
                "mysql://user:word@host/db", "mysql+pymysql://user:word@host/db",
                "mssql+pyodbc://user:word@host/db", "oracle://user:word@host/db", "databricks",
                "databricks://profile", "uc:http://host", "file:///tmp/mlruns", "./mlruns",
                "/tmp/mlruns", "nonsense", "arn:aws:sagemaker:x", "s3://bucket/x", "null",
                "http://", "http:///path", "https://host:99999", "http://host:port", "http://[::1",
                "sqlite+pysqlcipher://:word@/x.db", "sqlite",
            )
        ),
        *(
            (uri, "must be sqlite:/// and the path of a file")
            for uri in (
                "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://host/x.db",
                "sqlite:////tmp/a?b/x.db", "sqlite:///file:x.db?mode=ro&uri=true",
            )
        ),
    ],
)  # fmt: skip
def test_what_is_no_store_is_refused_by_name(uri: object, sentence: str) -> None:
    with pytest.raises(InputError, match=r"^logger\.tracking_uri") as caught:
        StoreURI.parse(uri)
    assert sentence in str(caught.value)
    assert "http://HOST:PORT" in str(caught.value) or "%3F" in str(caught.value)
    assert "word" not in str(caught.value)


def test_path_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(InputError, match=r"/tmp/caf\?/x.db: its name is not UTF-8"):
        sqlite_uri("/tmp/caf\udce9/x.db")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("http://user:word@host:5000/x", "http://***@host:5000/x"),
        ("https://token@host", "https://***@host"),
        ("postgresql+x://u:w/or@d@host/db", "postgresql+x://***@host/db"),
        ("tracking_uri=http://u:w@h: 'http://u:w@h'", "tracking_uri=http://***@h: 'http://***@h'"),
        ("sqlite:////home/me@work/mlflow.db", "sqlite:////home/me@work/mlflow.db"),
        ("ask me@home: http://host/", "ask me@home: http://host/"),
    ],
)  # fmt: skip
def test_passwords_are_not_told(text: str, told: str) -> None:
    assert without_password(text) == told


def test_passwords_are_taken_out_of_files(tmp_path: Path) -> None:
    path = tmp_path / "overrides.yaml"
    path.write_text("- logger.tracking_uri=http://ü:w@h\n- seed=1\n", encoding="utf-8")
    hide_passwords(path)
    assert path.read_text() == "- logger.tracking_uri=http://***@h\n- seed=1\n"


@pytest.mark.parametrize("uri", ["s3://b/x", "mlflow-artifacts:/1", "http://h/x", "dbfs:/x"])
def test_artifacts_elsewhere_lie_on_no_disk(uri: str) -> None:
    assert local_path(uri) is None


@pytest.mark.parametrize(
    "root", ["s3://me:word@bucket/x", "mlflow-artifacts:/x", "file:///tmp/x", "dbfs:/x", "http://h"]
)
def test_artifacts_of_a_local_database_lie_in_a_folder(root: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^logger\.artifact_root=.* must be a folder") as caught:
        artifact_folder(root)
    assert "word" not in str(caught.value)
    for name in FOLDERS:
        assert artifact_folder(str(tmp_path / name)) == tmp_path / name
        assert artifact_folder(name) == Path.cwd() / name
