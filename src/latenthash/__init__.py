"""latenthash: learn, judge and use perceptual hashes."""

from importlib.metadata import version

from latenthash.errors import InputError

__all__ = ["InputError", "__version__"]
__version__ = version("latenthash")
