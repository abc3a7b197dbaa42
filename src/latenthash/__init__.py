"""latenthash: learn, judge and use perceptual hashes."""

from importlib.metadata import version

__version__ = version("latenthash")
