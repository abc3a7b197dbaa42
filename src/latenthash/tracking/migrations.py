"""MLflow's migrations, in a folder of any name."""


def escape_migrations(package: str) -> None:
    """Let MLflow lie in a folder with a percent sign, which alembic takes for a placeholder.

    MLflow escapes the address of its database, but not the folder of its own migrations.

    Args:
        package: path of MLflow; nothing is done where it has no percent sign.
    """
    if "%" not in package:
        return
    from alembic.config import Config

    set_option = Config.set_main_option

    def set_escaped(self: Config, name: str, value: str) -> None:
        set_option(self, name, value.replace("%", "%%") if name == "script_location" else value)

    Config.set_main_option = set_escaped  # type: ignore[method-assign]
