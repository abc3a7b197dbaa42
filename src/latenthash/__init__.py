"""latenthash: learn, judge and use perceptual hashes.

The public names; everything else is private. They are imported when they are first asked for, so
that `import latenthash` takes no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from latenthash.errors import InputError
    from latenthash.gallery.gallery import Gallery
    from latenthash.jobs.load import load
    from latenthash.library.code import Code
    from latenthash.library.hashes import Hash, Refusal
    from latenthash.library.signal import Match, Signal
    from latenthash.watermark.marks import Marks

    __version__: str

_PLACES = {
    "Code": "latenthash.library.code",
    "Gallery": "latenthash.gallery.gallery",
    "Hash": "latenthash.library.hashes",
    "InputError": "latenthash.errors",
    "Marks": "latenthash.watermark.marks",
    "Match": "latenthash.library.signal",
    "Refusal": "latenthash.library.hashes",
    "Signal": "latenthash.library.signal",
    "load": "latenthash.jobs.load",
}
__all__ = [
    "Code",
    "Gallery",
    "Hash",
    "InputError",
    "Marks",
    "Match",
    "Refusal",
    "Signal",
    "__version__",
    "load",
]


def __getattr__(name: str) -> Any:
    """Import a public name, once (PEP 562)."""
    if name == "__version__":
        value: Any = import_module("importlib.metadata").version("latenthash")
    elif name in _PLACES:
        value = getattr(import_module(_PLACES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})
