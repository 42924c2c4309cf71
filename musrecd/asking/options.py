"""What the options of `table.py` mean.

What a person wrote stays a text until `question` reads it, so that both programs refuse the same in the same words.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args

from musrecd.asking.question import Order, Question
from musrecd.config import Config
from musrecd.errors import MusrecError
from musrecd.recommend.asking import Choice, KeyRule
from musrecd.recommend.presets import PRESETS

_T = TypeVar("_T", int, float)

# Where all that speaks for a track is shown; JSON has it always.
_IN_DETAIL = ("explain", "json", "as_json")
_MOST_PERCENT = 50.0
_MOST = 100_000
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,6}):(\d{2})|(\d+(?:\.\d+)?)")


def question(values: Mapping[str, Any], config: Config) -> Question:
    """Read the values of the options above, by name; None, False and () stand for what was not said.

    The configuration's preset and weights count where no preset is asked for. Raises MusrecError that names the option,
    what is wrong and what would be right.
    """
    preset = values.get("preset")
    weights, rules = PRESETS[_one_of(preset or config.preset, "preset", tuple(PRESETS))]
    if preset is None:
        weights = weights._replace(**config.weights)
    choice = Choice(
        number=config.number,
        min_sound=config.min_score,
        weights=weights,
        max_per_artist=_count(values.get("max_per_artist"), "max-per-artist"),
        max_per_album=_count(values.get("max_per_album"), "max-per-album"),
        not_same_artist=bool(values.get("not_same_artist")),
        no_duplicates=bool(values.get("no_duplicates")),
        diverse=_share(values.get("diverse"), "diverse"),
        fresh=bool(values.get("fresh")),
        strict=bool(values.get("strict")),
    )
    order: Order = _one_of(values.get("order") or "score", "order", get_args(Order))
    said = {field: read(values[name]) for name, (field, read) in _READERS.items() if values.get(name)}
    in_detail = any(map(values.get, _IN_DETAIL))
    return Question(rules._replace(**said), choice, order, in_detail)


def _percent(text: str) -> float:
    """Read `6%` and `6` as 0.06, and `0.06` as well."""
    number = _number(text.strip().removesuffix("%"), "bpm", "6%")
    share = number if "%" not in text and 0 < number < 1 else number / 100
    if not 0 < share <= _MOST_PERCENT / 100:
        raise MusrecError(f"--bpm {text}: the tempo may differ by more than 0 and at most {_MOST_PERCENT:.0f} %")
    return share


def _share(text: str | None, name: str) -> float:
    if text is None:
        return 0.0
    number = _number(text, name, "0.3")
    if not 0 <= number <= 1:
        raise MusrecError(f"--{name} {text}: give a number from 0 to 1")
    return number


def _count(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= _MOST:
        raise MusrecError(f"--{name} {text}: give a whole number from 1")
    return int(text)


def _number(text: str, name: str, example: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise MusrecError(f"--{name} {text}: not a number; write it like {example}") from None


def _one_of(text: str, name: str, known: Sequence[str]) -> Any:  # noqa: ANN401
    if text not in known:
        raise MusrecError(f"--{name} {text}: not known; there are {', '.join(known)}")
    return text


def _names(text: str, name: str) -> tuple[str, ...]:
    names = tuple(filter(None, (word.strip() for word in text.split(","))))
    if not names:
        raise MusrecError(f"--{name}: name at least one, such as guitar,female")
    return names


def _genres(texts: Sequence[str]) -> tuple[tuple[str, ...], ...] | Literal["any", "same"]:
    for rule in ("any", "same"):
        if rule in texts:
            if len(texts) > 1:
                raise MusrecError(f"--genre {rule} stands alone: it takes the genres of the tracks asked about")
            return rule
    return tuple(_names(text, "genre") for text in texts)


def _ends(text: str) -> tuple[str, str]:
    """Split a range as beets writes them; one value is both ends of it."""
    first, dots, last = text.partition("..")
    return (first.strip(), last.strip()) if dots else (text.strip(), text.strip())


def _range(text: str, name: str, read: Callable[[str], _T | None]) -> tuple[_T | None, _T | None]:
    first, last = map(read, _ends(text))
    if first is None and last is None:
        raise MusrecError(f"--{name} {text}: name at least one end of the range")
    if first is not None and last is not None and first > last:
        raise MusrecError(f"--{name} {text}: the range is empty, its end comes before its beginning")
    return first, last


def _year(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise MusrecError(f"--year {text}: not a year; write 1994, 1990..1999, 1990.. or ..1979")
    return int(text)


def _seconds(text: str) -> float | None:
    """Read `6:30`, `1:02:03` and plain seconds."""
    if not text:
        return None
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise MusrecError(f"--length {text}: not a length; write 3:00..6:30, ..8:00, or seconds")
    hours, minutes, seconds, plain = found.groups()
    return float(plain) if plain else int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)


# Name of an option → the rule that it sets, and how.
_READERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "bpm": ("tempo", _percent),
    "key": ("key", lambda text: _one_of(text, "key", get_args(KeyRule))),
    "label": ("labels", lambda texts: tuple(_names(text, "label") for text in texts)),
    "not_label": ("not_labels", lambda texts: tuple(name for text in texts for name in _names(text, "not-label"))),
    "genre": ("genres", _genres),
    "year": ("years", lambda text: _range(text, "year", _year)),
    "length": ("length_s", lambda text: _range(text, "length", _seconds)),
}
