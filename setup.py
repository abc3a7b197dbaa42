"""Build the package: conf/ lies at the top of a checkout, and in the package of a wheel."""

from pathlib import Path
from shutil import copytree, rmtree

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithConf(build_py):
    """Copies conf/ beside the modules; an editable install finds it at the top."""

    def run(self) -> None:
        """Build the modules, and put conf/ beside them."""
        super().run()
        if not self.editable_mode:
            conf = Path(self.build_lib, "latenthash", "conf")
            rmtree(conf, ignore_errors=True)  # of a build before, when a file may have been there
            copytree("conf", conf)


setup(cmdclass={"build_py": BuildWithConf})
