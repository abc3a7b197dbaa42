"""Where the project lies, and names that a folder of it may have."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
CONF = ROOT / "conf"
# Names of folders that mean something to shells, URIs or configs.
FOLDERS = [
    "a b", "a%20b", "100%", "a?b", "a#b", "a;b", "ä ö 寿司", "a&b=c", "a+b", "it's", 'q"q',
    "[x]{y}", "me@home:1", "$x", "a\\b", "tab\there",
]  # fmt: skip
