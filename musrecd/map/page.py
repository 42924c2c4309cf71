"""The map as a page of its own: one HTML file that needs nothing else, no network either."""

import html
import json
from pathlib import Path
from typing import Any

import numpy as np

from musrecd.map.chart import Chart, named

_TEMPLATE = Path(__file__).with_name("page.html")
_STEPS = 65535
# In JSON they mean the same; in HTML the first could end the script that holds the data.
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def render_page(chart: Chart) -> bytes:
    """Return the page. What is in tags is data: it is never read as HTML or as a script."""
    page = _TEMPLATE.read_text(encoding="utf-8")
    before, after = page.split("@@DATA@@")
    # The data comes in last: whatever it holds is not looked through again.
    before, after = (part.replace("@@TITLE@@", html.escape(chart.title)) for part in (before, after))
    return f"{before}{_as_json(_data(chart))}{after}".encode("utf-8", "backslashreplace")


def _data(chart: Chart) -> dict[str, Any]:
    artists = {name: i for i, name in enumerate(dict.fromkeys(place.artist for place in chart.places))}
    return {
        "title": chart.title,
        "steps": _STEPS,
        "x": _steps(chart.positions[:, 0]),
        "y": _steps(-chart.positions[:, 1]),
        "group": chart.group.tolist(),
        "groups": [
            {
                "name": group.name,
                "colour": group.colour,
                "size": group.size,
                "at": group.name_at and [*_steps(np.array([group.name_at[0], -group.name_at[1]]))],
            }
            for group in chart.groups
        ],
        "artists": list(artists),
        "artist": [artists[place.artist] for place in chart.places],
        "titles": [place.title for place in chart.places],
        "seeds": list(chart.seeds),
        "path": list(chart.path),
        "named": named(chart.seeds, chart.path),
    }


def _steps(values: np.ndarray) -> list[int]:
    """Turn -1 to 1 into whole numbers, which are half as long to write."""
    steps: list[int] = np.rint((np.clip(values, -1, 1) + 1) / 2 * _STEPS).astype(int).tolist()
    return steps


def _as_json(data: dict[str, Any]) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text
