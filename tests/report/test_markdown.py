"""Markdown in notes: what stands in names stays text."""

import pandas as pd

from latenthash.report.markdown import MOST, command, literal, markdown


def test_names_are_no_markdown() -> None:
    assert literal("a|b *c* [d](e) `f` :g: <b>&\n") == (
        r"a\|b \*c\* \[d\](e) \`f\` &#58;g&#58; &lt;b>&amp;\\n"
    )  # fmt: skip
    assert markdown(pd.DataFrame({"a|b": ["x\ny"], "n": [0.12345]})) == (
        "| a\\|b&ensp; | n&ensp; |\n| --- | --- |\n| x\\\\ny&ensp; | 0.123&ensp; |"
    )


def test_long_table_says_how_many_rows_it_leaves_out() -> None:
    lines = markdown(pd.DataFrame({"a": range(MOST + 5)})).splitlines()
    assert len(lines) == 2 + MOST + 2
    assert lines[-1] == "and 5 more"


def test_command_can_be_typed_again() -> None:
    assert command("train", ["-m", "a='x y'", "+b=c"]) == (
        """    python train.py -m 'a='"'"'x y'"'"'' +b=c"""
    )
