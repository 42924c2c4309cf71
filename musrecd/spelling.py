"""Whether two genres are one word spelled differently: "hip-hop" and "Hip Hop", "R&B" and "Rhythm and Blues"."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

# Each line is one genre that people spell in ways that no rule finds. Neighbours such as "Electronica" and
# "Electronic" are two genres to whoever writes both, and stand on no line together.
_SPELLINGS = """
a cappella, acapella
drum and bass, dnb, d and b, drumnbass
funk, funky
intelligent dance, idm
latin, latin american, latino
lo fi, low fi
punk, punk rock
r and b, rnb, rhythm and blues
rock and roll, rocknroll
soundtrack, soundtracks, ost, original soundtrack, motion picture soundtrack
traditional pop, trad pop
"""
_AND = re.compile(r"[&+]|\bn\b")
_PARTS = re.compile(r"[/,;|\\]")
_ACCENTS = re.compile(r"[\u0300-\u036f]")


@lru_cache(maxsize=4096)
def spelling_key(genre: str) -> str:
    """Return what all spellings of a genre have in common: equal keys, the same genre."""
    plain = _plain(genre)
    return _families().get(plain, plain)


def _plain(genre: str) -> str:
    """Return letters and digits alone: no case, accents, spaces, "music" at the end; every "and" alike."""
    folded = unicodedata.normalize("NFKC", _ACCENTS.sub("", unicodedata.normalize("NFKD", genre))).casefold()
    words = _AND.sub(" and ", folded)
    letters = "".join(c for c in words if unicodedata.category(c)[0] not in "PSZC")
    return letters.removesuffix("music") or letters or folded.strip()


@cache
def _families() -> dict[str, str]:
    lines = [[_plain(word) for word in line.split(",")] for line in _SPELLINGS.strip().splitlines()]
    return {word: words[0] for words in lines for word in words}


def parts_of(genres: Iterable[str]) -> Iterable[str]:
    """Yield every genre, and what it is put together from: "Hip-Hop/Rap" is also "Hip-Hop" and "Rap"."""
    for genre in genres:
        yield genre
        yield from (part for part in _PARTS.split(genre) if part.strip())
