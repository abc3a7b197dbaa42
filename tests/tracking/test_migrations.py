"""MLflow in a folder with a percent sign."""

import alembic.config
import pytest

from latenthash.tracking.migrations import escape_migrations


def test_migrations_are_found_below_a_percent_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bare(alembic.config.Config):  # these tests may themselves run below such a path
        def set_main_option(self, name: str, value: str) -> None:
            self.set_section_option(self.config_ini_section, name, value)

    monkeypatch.setattr(alembic.config, "Config", Bare)
    escape_migrations("/a b%20c/mlflow/__init__.py")
    config = Bare()
    config.set_main_option("script_location", "/a b%20c/mlflow/migrations")
    assert config.get_main_option("script_location") == "/a b%20c/mlflow/migrations"
    config.set_main_option("sqlalchemy.url", "sqlite:////a%%20b")  # MLflow escapes this one
    assert config.get_main_option("sqlalchemy.url") == "sqlite:////a%20b"
