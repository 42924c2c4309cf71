"""The page: it holds everything, needs nothing, and nothing in a tag is more than text."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.map.chart import Chart, Place, group_by
from musrecd.map.page import render_page

HOSTILE = (
    "</script><script>alert(1)</script>", "<!--", "<img src=x onerror=alert(1)>", "@@DATA@@ @@TITLE@@",
    "a\u2028b & 'q' \"", "\\", "日本語", "\udce9",
)  # fmt: skip


class Page(HTMLParser):
    """Which elements a page has, and what its data say."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""
        self.script = ""
        self.feed(page.decode("utf-8"))

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.elements and self.elements[-1][0] == "script":
            if self.elements[-1][1].get("type") == "application/json":
                self.data += data
            else:
                self.script += data


def chart_of(names, *, seeds=(), path=(), title="A map") -> Chart:
    positions = np.random.default_rng(1).uniform(-1, 1, (len(names), 2)).astype(np.float32)
    groups, group = group_by(names, positions)
    return Chart(title, tuple(Place(name, name) for name in names), positions, groups, group, seeds, path)


@pytest.fixture(scope="module")
def plain() -> Page:
    return Page(render_page(chart_of(["Jazz", "Rock", "Jazz"])))


@given(st.lists(st.text(max_size=20) | st.sampled_from(HOSTILE), min_size=1, max_size=12))
def test_tags_stay_data_whatever_they_hold(plain, names):
    page = Page(render_page(chart_of(names, title=names[0])))
    assert [element for element, _ in page.elements] == [element for element, _ in plain.elements]
    assert page.script == plain.script
    data = json.loads(page.data)
    assert data["titles"] == names
    assert [data["artists"][i] for i in data["artist"]] == names


def test_it_needs_nothing_from_outside(plain):
    assert "http" not in re.sub(r"http-equiv", "", render_page(chart_of(["Jazz"])).decode())
    assert not [attributes for _, attributes in plain.elements if {"src", "href", "srcset"} & attributes.keys()]
    policy = next(attributes for element, attributes in plain.elements if "http-equiv" in attributes)
    assert "default-src 'none'" in policy["content"]


def test_the_data_say_where_everything_is():
    chart = chart_of(["Jazz", "Rock", "Jazz", "Folk"], seeds=(1,), path=(0, 2, 3))
    data = json.loads(Page(render_page(chart)).data)
    x = np.array(data["x"]) / data["steps"] * 2 - 1
    y = -(np.array(data["y"]) / data["steps"] * 2 - 1)
    np.testing.assert_allclose(np.stack([x, y], axis=1), chart.positions, atol=1e-4)
    assert [data["groups"][i]["name"] for i in data["group"]] == ["Jazz", "Rock", "Jazz", "Folk"]
    assert (data["seeds"], data["path"], data["named"]) == ([1], [0, 2, 3], [0, 3, 1])


def test_its_script_can_be_read(plain, tmp_path):
    """Only where there is Node.js; it is not run, for there is no page to run it in."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node.js")
    script = tmp_path / "page.js"
    script.write_text(plain.script, encoding="utf-8")
    subprocess.run([node, "--check", script], check=True)


def test_every_element_that_the_script_asks_for_is_there(plain):
    there = {attributes["id"] for _, attributes in plain.elements if "id" in attributes}
    asked = set(re.findall(r'\$\("(\w+)"\)', plain.script))
    assert len(asked) > 5
    assert asked <= there


def test_fifty_thousand_tracks_are_a_page_of_a_few_megabytes():
    chart = chart_of([f"Artist {i % 500}" for i in range(50_000)])
    assert len(render_page(chart)) < 4e6
