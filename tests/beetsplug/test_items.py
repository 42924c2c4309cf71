"""A beets library in parts: whatever the query, each item that matches once, few at a time."""

import pytest
from beets.library import Item, Library
from beets.ui import UserError

from beetsplug import _musrec_items
from beetsplug._musrec_items import in_parts


@pytest.fixture
def lib(tmp_path, monkeypatch) -> Library:
    """Thirteen items, of which the seventh was removed; parts hold five numbers."""
    monkeypatch.setattr(_musrec_items, "_PART", 5)
    library = Library(str(tmp_path / "beets.db"), str(tmp_path))
    for number in range(1, 15):
        item = Item(title=f"Title {number}", year=1990 + number, path=bytes(tmp_path / f"{number}.mp3"))
        item["mood"] = "loud" if number % 4 else "calm"
        library.add(item)
    library.get_item(7).remove()
    return library


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], [[1, 2, 3, 4, 5], [6, 8, 9, 10], [11, 12, 13, 14]]),
        (["year:1994..2001"], [[4, 5], [6, 8, 9, 10], [11]]),
        (["title:3", ",", "id:14"], [[3], [13, 14]]),
        (["year-", "^title:1"], [[2, 3, 4, 5], [6, 8, 9]]),
        (["mood:calm"], [[4], [8], [12]]),
        (["mood:calm", "year:1996.."], [[8], [12]]),
    ],
)
def test_every_match_comes_once(lib, arguments, expected):
    assert [sorted(item.id for item in part) for part in in_parts(lib, arguments)] == expected


@pytest.mark.parametrize(("arguments", "says"), [(["title:none"], "no track matches title:none")])
def test_nothing_is_said_in_one_line(lib, arguments, says):
    with pytest.raises(UserError, match=says):
        list(in_parts(lib, arguments))


def test_an_empty_library_is_told_apart(tmp_path):
    with pytest.raises(UserError, match="the beets library is empty"):
        list(in_parts(Library(str(tmp_path / "beets.db"), str(tmp_path)), []))
