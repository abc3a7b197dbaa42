"""The page: it needs nothing but itself, and shows what it is given as text."""

import pandas as pd

from latenthash.benchmark.page import page


def test_page_stands_alone_and_names_are_no_markup() -> None:
    table = pd.DataFrame({"code": ["<script>alert(1)</script>"], "TPR": [0.5]})
    html = page("<b>title</b>", {"Table": "a & b"}, {"Table": table})
    assert "<script>" not in html
    assert "<b>title" not in html
    assert "a &amp; b" in html
    assert "http" not in html.replace("http-equiv", "")
