"""What tracks of the library sound like, in the person's words: those learnt from them, then the encoder's."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Self

from musrecd.config import TaggingConfig, VocabularyConfig
from musrecd.library.reader import LibraryReader
from musrecd.tagging.heard import Heard, heard_of
from musrecd.tagging.learnt import Learnt, probabilities
from musrecd.tagging.predict import Prediction, certain, most_probable
from musrecd.tagging.vocabulary import Vocabulary
from musrecd.types import EncoderInfo, FloatArray


class Genres:
    """Predicts genres of recordings that were heard by one encoder.

    What the person's own genres taught (`learnt`) decides about those; other words come from the encoder, believed
    from the configured threshold on. Moods, tempo and key are told if the configuration wants them.
    """

    def __init__(self, info: EncoderInfo, vocabulary: Vocabulary, config: TaggingConfig, learnt: Learnt | None) -> None:
        self._info, self._vocabulary, self._config, self._learnt = info, vocabulary, config, learnt
        self._threshold = config.threshold
        # Asked again and again about the same few words.
        self._same = cache(vocabulary.same)

    @classmethod
    def of(
        cls, reader: LibraryReader, info: EncoderInfo, config: TaggingConfig, words: VocabularyConfig | None = None
    ) -> Self:
        """Use what was learnt for this library, if anything was, and `words`, if they are not those of `config`.

        Raises LibraryError, LearningError, ConfigError.
        """
        head = reader.head(info.version)
        # How many are written is decided later, of all that may be.
        words = replace(words or config.vocabulary, count=len(info.labels) or 1)
        learnt = None if head is None else Learnt.from_bytes(head)
        return cls(info, Vocabulary.of(words, info.labels), config, learnt)

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that the encoder's labels become."""
        return self._vocabulary

    @property
    def source(self) -> str:
        """Name who predicts, for the journal."""
        return self._info.version + ("+learnt" if self._learnt is not None else "")

    def of_recordings(
        self, reader: LibraryReader, ids: Sequence[int], artists: Mapping[int, str]
    ) -> dict[int, tuple[Prediction, ...]]:
        """Predict for each recording, surest first; those whose analysis is damaged or missing are left out.

        `artists` by recording: some words may never be written for some.
        """
        heard = reader.probabilities(ids, self._info.version)
        own: dict[int, list[Prediction]] = {}
        if self._learnt is not None and heard:
            rows = probabilities(self._learnt, reader.embeddings(list(heard), self._info.version))
            own = {number: _in_own_words(self._learnt, row) for number, row in zip(heard, rows, strict=True)}
        return {
            number: self._joined(own.get(number, []), row, artists.get(number, "")) for number, row in heard.items()
        }

    def moods_of(self, reader: LibraryReader, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Tell the moods of each recording that are as sure as genres have to be; none where they are not wanted."""
        if not self._config.moods:
            return {}
        heard = reader.probabilities(ids, self._info.version)
        return {
            number: tuple(each.name for each in certain(row, self._info.labels, "mood", self._threshold))
            for number, row in heard.items()
        }

    def heard_of(self, reader: LibraryReader, ids: Sequence[int]) -> Mapping[int, Heard]:
        """Tell tempo and key of each recording, if they are wanted and sure enough."""
        return heard_of(reader, ids, self._info.version, tempo=self._config.tempo, key=self._config.key)

    def _joined(self, own: list[Prediction], heard: FloatArray, artist: str) -> tuple[Prediction, ...]:
        """Put what is believed before what is not, and in each what was learnt before what the encoder says.

        About a genre that was learnt the encoder has no say.
        """
        sure, unsure = self._in_words(heard, artist)
        learnt = [each for each in own if each.probability >= each.threshold]
        others = [each for each in own if each.probability < each.threshold]
        sure, unsure = ([each for each in words if not self._is_known(each, own)] for words in (sure, unsure))
        return (*learnt, *sure, *sorted([*others, *unsure], key=_by_certainty))

    def _in_words(self, heard: FloatArray, artist: str) -> tuple[list[Prediction], list[Prediction]]:
        """Sort what the encoder says into what is believed, in the order of the vocabulary, and the rest."""
        found = most_probable(heard, self._info.labels, number=len(self._info.labels))
        sure = self._named([each for each in found if each.probability >= self._threshold], artist)
        unsure = self._named([each for each in found if each.probability < self._threshold], artist)
        return sure, [each for each in unsure if not self._is_known(each, sure)]

    def _named(self, found: list[Prediction], artist: str) -> list[Prediction]:
        return [
            Prediction(each.name, each.probability, self._threshold)
            for each in self._vocabulary.names(found, artist=artist)
        ]

    def _is_known(self, prediction: Prediction, others: list[Prediction]) -> bool:
        return any(self._same(prediction.name, other.name) for other in others)


def _in_own_words(learnt: Learnt, probable: FloatArray) -> list[Prediction]:
    triples = zip(learnt.names, probable, learnt.thresholds, strict=True)
    return sorted((Prediction(name, float(p), float(threshold)) for name, p, threshold in triples), key=_by_certainty)


def _by_certainty(prediction: Prediction) -> tuple[bool, float, str]:
    return prediction.probability < prediction.threshold, -prediction.probability, prediction.name
