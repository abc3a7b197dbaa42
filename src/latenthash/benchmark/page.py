"""One offline page of a benchmark's tables and figures."""

import base64
import io
from collections.abc import Mapping
from html import escape
from typing import TypeAlias

import pandas as pd
from matplotlib.figure import Figure

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: 13px }
th, td { border: 1px solid #ccc; padding: .25rem .5rem; text-align: left; white-space: nowrap }
img { max-width: 100% }
"""


Part: TypeAlias = pd.DataFrame | Figure | str  # a text says why there is nothing to show


def page(title: str, notes: Mapping[str, str], parts: Mapping[str, Part]) -> str:
    """Write a page that needs nothing but itself.

    Args:
        title: of the page.
        notes: heading of a part -> how to read it.
        parts: heading -> table, figure, or why there is neither.
    """
    sections = []
    for heading, part in parts.items():
        if isinstance(part, Figure):
            file = io.BytesIO()
            part.savefig(file, format="png", dpi=110)
            data = base64.b64encode(file.getvalue()).decode()
            body = f'<img alt="{escape(heading)}" src="data:image/png;base64,{data}">'
        elif isinstance(part, str):
            body = f"<p>{escape(part)}</p>"
        else:
            body = part.to_html(index=False, border=0, na_rep="", float_format="{:.2f}".format)
        note = f"<p>{escape(notes[heading])}</p>" if heading in notes else ""
        sections.append(f"<h2>{escape(heading)}</h2>{note}{body}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>{''.join(sections)}</html>"
    )
