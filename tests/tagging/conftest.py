"""The labels that predictions are of, and beets' own lastgenre to compare with."""

import importlib
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import beets
import pytest

from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
from musrecd.tagging.lastgenre import lastgenre_folder
from musrecd.types import Label
from tests.tagging.scene import Scene

Lastgenre = Callable[[dict[str, Any]], Callable[..., list[str]]]


@pytest.fixture(scope="session")
def labels() -> tuple[Label, ...]:
    """The labels of the shipped encoder."""
    return read_card(SHIPPED_WEIGHTS).info.labels


@pytest.fixture(scope="session")
def folder():
    """Where lastgenre's files lie."""
    return lastgenre_folder()


@pytest.fixture
def lastgenre(monkeypatch) -> Iterator[Lastgenre]:
    """Return a function: settings of lastgenre → a function: what Last.fm says of a track → what lastgenre writes."""
    network = SimpleNamespace(get_track=lambda *_: None, get_album=lambda *_: None, get_artist=lambda *_: None)
    errors = {name: type(name, (Exception,), {}) for name in ("WSError", "MalformedResponseError", "NetworkError")}
    monkeypatch.setitem(sys.modules, "pylast", SimpleNamespace(LastFMNetwork=lambda **_: network, **errors))
    plugin_class = importlib.import_module("beetsplug.lastgenre").LastGenrePlugin
    if not hasattr(plugin_class, "_get_genre") or not hasattr(plugin_class, "_load_aliases"):
        pytest.skip("this beets has another lastgenre; what is compared is that of 2.14")

    def configured(settings: dict[str, Any]) -> Callable[..., list[str]]:
        beets.config.clear()
        beets.config.read(user=False)
        beets.config["lastgenre"].set(settings | {"source": "track", "auto": False})
        plugin = plugin_class()

        def written(*tags: str) -> list[str]:
            plugin.client.genre_cache.clear()
            plugin.client.fetch_genres = lambda _: [tag.lower() for tag in tags]
            return plugin._get_genre(beets.library.Item(artist="Somebody", title="Something"))[0]

        return written

    yield configured
    beets.config.clear()
    for name in [name for name in sys.modules if name.startswith("beetsplug.lastgenre")]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def scene(tmp_path, rendered_files):
    by_format = {path.suffix: path for path in rendered_files}
    found = Scene(tmp_path, list(by_format.values()))
    yield found
    found.library.close()
