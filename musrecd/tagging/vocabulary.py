"""The encoder's labels become the person's genres, as beets' lastgenre would write them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from musrecd.config import VocabularyConfig
from musrecd.errors import ConfigError
from musrecd.spelling import parts_of, spelling_key
from musrecd.tagging.lastgenre import built_in_aliases, built_in_tree, lastgenre_folder, read_tree, read_whitelist
from musrecd.tagging.predict import Prediction
from musrecd.types import Label

_GENRE = "genre"
_EVERYBODY = "*"
_Expressions = tuple[re.Pattern[str], ...]
_Aliases = tuple[tuple[re.Pattern[str], str], ...]


class LabelRow(NamedTuple):
    """A label of the encoder, its group, and the genres that are written for it, if any."""

    group: str
    label: str
    written: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words for genres. Words are in lower case until they are shown.

    `whitelist`: word → how the person wrote it, or nothing where that is told by `title_case`; empty if every word
    may be written. `tree`: word → itself and all above it. `other_labels`: what the encoder hears that is no genre.
    """

    count: int
    prefer_specific: bool
    title_case: bool
    canonical: bool
    whitelist: Mapping[str, str]
    spellings: Mapping[str, str]
    aliases: _Aliases
    tree: Mapping[str, tuple[str, ...]]
    ignored: Mapping[str, _Expressions]
    other_labels: frozenset[str]

    @classmethod
    def of(cls, settings: VocabularyConfig, labels: Sequence[Label], folder: Path | None = None) -> "Vocabulary":
        """Read the files that `settings` name; lastgenre's own lie in `folder`, by default where beets is installed.

        `labels` are all that predictions may be of; those that are no genres are never written. Raises ConfigError.
        """
        aliases = tuple(_aliases(settings, folder))
        whitelist = _whitelist(settings, [label.name for label in labels if label.group == _GENRE], aliases)
        return cls(
            count=settings.count,
            prefer_specific=settings.prefer_specific,
            title_case=settings.title_case,
            canonical=settings.canonical is not False,
            whitelist=whitelist,
            # Of several spellings of a genre the shortest is taken.
            spellings={spelling_key(word): word for word in sorted(whitelist, key=lambda w: (-len(w), w))},
            aliases=aliases,
            tree=_tree(settings, folder),
            ignored={artist: tuple(map(_compiled, given)) for artist, given in settings.ignored.items()},
            other_labels=frozenset(label.name.lower() for label in labels if label.group != _GENRE),
        )

    def names(self, predictions: Iterable[Prediction], *, artist: str = "") -> tuple[Prediction, ...]:
        """Return the genres to write for `predictions`, those alone that are probable enough: at most `count`.

        The most probable comes first, or the most specific if that is preferred. A genre that several labels lead to
        is as probable as the most probable of them: they say the same thing again, and each implies it.
        """
        found: dict[str, float] = {}
        for prediction in sorted(predictions, key=lambda p: -p.probability):
            for word in self._words(prediction.name, artist):
                found.setdefault(word, prediction.probability)
        words = list(found)
        if self.prefer_specific:
            words.sort(key=self._depth, reverse=True)
        return tuple(Prediction(self._shown(word), found[word]) for word in words[: self.count])

    def same(self, a: str, b: str) -> bool:
        """Whether two genres, as people write them, are the same one: differently spelled, or aliases of each other."""
        known = spelling_key(_alias(a, self.aliases)), spelling_key(_alias(b, self.aliases))
        return spelling_key(a) == spelling_key(b) or known[0] == known[1]

    def among(self, genre: str, genres: Iterable[str]) -> bool:
        """Whether one of `genres` says `genre` already, also in part: "Hip-Hop/Rap" says "Hip Hop"."""
        return any(self.same(genre, part) for part in parts_of(genres))

    def _words(self, label: str, artist: str) -> list[str]:
        """Return what may be written for a label: its own word, then those above it, nearest first."""
        if label.lower() in self.other_labels:
            return []
        # lastgenre does it twice as well: when it fetches words, and when it resolves them.
        word = _alias(_alias(label, self.aliases), self.aliases)
        words = self._allowed(word, artist)
        if not (words or self._is_ignored(word, artist)) and (spelled := self.spellings.get(spelling_key(word))):
            # The encoder says "Folk"; lastgenre's own whitelist knows it as "folk music" only.
            words = self._allowed(spelled, artist)
        return words

    def _allowed(self, word: str, artist: str) -> list[str]:
        if self._is_ignored(word, artist):
            return []
        words: tuple[str, ...] = self.tree.get(word, (word,)) if self.canonical else (word,)
        if self.canonical and not self.whitelist:
            # Any word would do, so the tree alone decides: lastgenre takes the root.
            words = words[-1:]
        return [
            w for w in words if (not self.whitelist or w.lower() in self.whitelist) and not self._is_ignored(w, artist)
        ]

    def _is_ignored(self, word: str, artist: str) -> bool:
        expressions = (*self.ignored.get(_EVERYBODY, ()), *self.ignored.get(artist.lower(), ()))
        return not word.strip() or any(expression.fullmatch(word.lower()) for expression in expressions)

    def _depth(self, word: str) -> int:
        return len(self.tree.get(word, ()))

    def _shown(self, word: str) -> str:
        return self.whitelist.get(word.lower()) or (word.title() if self.title_case else word)


def label_table(labels: Sequence[Label], vocabulary: Vocabulary) -> list[LabelRow]:
    """List all labels, in their order, with what is written into files as the genre of a track that sounds so."""
    return [LabelRow(label.group, label.name, ", ".join(_written(label, vocabulary))) for label in labels]


def _written(label: Label, vocabulary: Vocabulary) -> Iterator[str]:
    if label.group == _GENRE:
        yield from (prediction.name for prediction in vocabulary.names([Prediction(label.name, 1.0)]))


def _whitelist(settings: VocabularyConfig, genres: Iterable[str], aliases: _Aliases) -> dict[str, str]:
    if settings.whitelist is False:
        return {}
    if isinstance(settings.whitelist, Path):
        return dict.fromkeys(read_whitelist(settings.whitelist), "")
    if isinstance(settings.whitelist, tuple):
        return {word.strip().lower(): word.strip() for word in settings.whitelist if word.strip()}
    as_called = {genre.lower(): genre if settings.title_case else "" for genre in genres}
    return {_alias(genre, aliases): "" for genre in as_called} | as_called


# The same words come again and again, and expressions are slow.
@lru_cache(maxsize=10_000)
def _alias(genre: str, aliases: _Aliases) -> str:
    """Return the name, in lower case, that the first fitting alias gives to `genre`."""
    word = genre.strip().lower()
    for expression, name in aliases:
        if match := expression.fullmatch(word):
            try:
                return match.expand(name).strip()
            except (re.error, IndexError):
                # The name asks for a group that is not there; lastgenre takes the next one too.
                continue
    return word


def _aliases(settings: VocabularyConfig, folder: Path | None) -> Iterator[tuple[re.Pattern[str], str]]:
    if settings.aliases is False:
        return
    table = built_in_aliases(folder or lastgenre_folder()) if settings.aliases is True else settings.aliases
    for name, expressions in table.items():
        yield from ((_compiled(expression), name.lower()) for expression in expressions)


def _tree(settings: VocabularyConfig, folder: Path | None) -> dict[str, tuple[str, ...]]:
    if isinstance(settings.canonical, Path):
        return read_tree(settings.canonical)
    if settings.canonical or settings.prefer_specific:
        return read_tree(built_in_tree(folder or lastgenre_folder()))
    return {}


def _compiled(expression: str) -> re.Pattern[str]:
    try:
        return re.compile(expression, re.IGNORECASE)
    except re.error as error:
        raise ConfigError(f"genres: {expression!r} is no regular expression ({error})") from error
