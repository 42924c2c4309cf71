"""The one list of labels that the encoder predicts, and what each is called by data sets and teachers."""

from dataclasses import dataclass, field

import numpy as np

from model_training.datasets.base import Clip
from model_training.datasets.words import implied, labels_meant
from musrecd.types import FloatArray, Label


@dataclass(frozen=True, slots=True)
class LabelSource:
    """A label and its names elsewhere.

    `truths`: source family → the words that mean it there. A family that knows the label and does not use it
    on a clip denies it; with no words, nothing there is of that kind. What families mean that tag sparsely,
    and deny nothing by silence, is in `datasets/words.py`. `teachers`: teacher vocabulary and label, asked where no
    data set knows.
    """

    label: Label
    truths: dict[str, tuple[str, ...]] = field(default_factory=dict)
    teachers: tuple[tuple[str, str], ...] = ()


def _genre(name: str, *teachers: str, **truths: str) -> LabelSource:
    return _source(name, "genre", teachers, truths)


def _source(name: str, group: str, teachers: tuple[str, ...], truths: dict[str, str]) -> LabelSource:
    pairs = tuple((vocabulary, word) for vocabulary, _, word in (t.partition(":") for t in teachers))
    words = {family: tuple(text.split("|")) for family, text in truths.items()}
    return LabelSource(Label(name, group), words, pairs)


def _instrument(name: str, *teachers: str) -> LabelSource:
    return _source(name, "instrument", teachers, {})


def _voice(name: str, *teachers: str) -> LabelSource:
    return _source(name, "voice", teachers, {})


def _mood(name: str, *teachers: str, **truths: str) -> LabelSource:
    return _source(name, "mood", teachers, truths)


LABELS: tuple[LabelSource, ...] = (
    _genre("Alternative", "msd:alternative", "jamendo:genre---alternative"),
    _genre("Ambient", "msd:ambient", "jamendo:genre---ambient", "mtat:ambient"),
    _genre("Blues", "msd:blues", taffc="Blues", gtzan="Blues", zouk="", fagioli=""),
    _genre("Chillout", "msd:chillout", "jamendo:genre---chillout"),
    _genre("Classical", "mtat:classical", "jamendo:genre---classical",
           taffc="Classical", gtzan="Classical", fagioli="clasico", zouk=""),
    _genre("Country", "msd:country", "mtat:country", taffc="Country", gtzan="Country", zouk="", fagioli=""),
    _genre("Cumbia", fagioli="cumbia", gtzan="", zouk="", taffc=""),
    _genre("Dance", "msd:dance", "jamendo:genre---dance", "mtat:dance"),
    _genre("Disco", gtzan="Disco", zouk="", fagioli=""),
    _genre("Easy Listening", "msd:easy listening", "jamendo:genre---easylistening", taffc="Easy Listening"),
    _genre("Electronic", "msd:electronic", "jamendo:genre---electronic", "mtat:electronic", taffc="Electronic"),
    _genre("Experimental", "msd:experimental", "jamendo:genre---experimental", taffc="Avant-Garde"),
    _genre("Folk", "msd:folk", "jamendo:genre---folk", taffc="Folk"),
    _genre("Funk", "msd:funk", "jamendo:genre---funk"),
    _genre("Hip Hop", "msd:Hip-Hop", "jamendo:genre---hiphop",
           taffc="Rap", gtzan="Hiphop", fagioli="rap", zouk=""),
    _genre("House", "msd:House", "jamendo:genre---house"),
    _genre("Indie", "msd:indie", "jamendo:genre---indie"),
    _genre("Jazz", "msd:jazz", "jamendo:genre---jazz", taffc="Jazz", gtzan="Jazz", zouk="", fagioli=""),
    _genre("Latin", taffc="Latin", zouk="Latin", fagioli="cumbia|folklore", gtzan=""),
    _genre("Metal", "msd:metal", "jamendo:genre---metal", "mtat:metal", gtzan="Metal", zouk="", fagioli=""),
    _genre("New Age", "mtat:new age", "jamendo:genre---newage", taffc="New Age"),
    _genre("Pop", "msd:pop", "jamendo:genre---pop", "mtat:pop", gtzan="Pop"),
    _genre("Punk", "msd:punk"),
    _genre("R&B", "msd:rnb", taffc="R&B"),
    _genre("Reggae", "jamendo:genre---reggae", taffc="Reggae", gtzan="Reggae", fagioli="reggae", zouk=""),
    _genre("Rock", "msd:rock", "jamendo:genre---rock", "mtat:rock", gtzan="Rock", fagioli="rock", zouk=""),
    _genre("Soul", "msd:soul"),
    _genre("Soundtrack", "jamendo:genre---soundtrack", taffc="Stage & Screen"),
    _genre("Techno", "mtat:techno", "jamendo:genre---techno"),
    _genre("Traditional Pop", taffc="Vocal", zouk="", fagioli=""),
    _genre("Trance", "jamendo:genre---trance"),
    _genre("Trip Hop", "jamendo:genre---triphop"),
    _genre("World", "jamendo:genre---world", taffc="International"),
    _genre("Zouk", zouk="Zouk", gtzan="", fagioli="", taffc=""),
    _instrument("Acoustic Guitar", "jamendo:instrument---acousticguitar", "msd:acoustic"),
    _instrument("Bass", "jamendo:instrument---bass"),
    _instrument("Cello", "mtat:cello"),
    _instrument("Drum Machine", "jamendo:instrument---drummachine"),
    _instrument("Drums", "jamendo:instrument---drums", "mtat:drums"),
    _instrument("Electric Guitar", "jamendo:instrument---electricguitar"),
    _instrument("Electric Piano", "jamendo:instrument---electricpiano"),
    _instrument("Flute", "mtat:flute"),
    _instrument("Guitar", "jamendo:instrument---guitar", "mtat:guitar", "msd:guitar"),
    _instrument("Harp", "mtat:harp"),
    _instrument("Harpsichord", "mtat:harpsichord"),
    _instrument("Keyboard", "jamendo:instrument---keyboard"),
    _instrument("Piano", "jamendo:instrument---piano", "mtat:piano"),
    _instrument("Sitar", "mtat:sitar"),
    _instrument("Strings", "jamendo:instrument---strings", "mtat:strings"),
    _instrument("Synthesizer", "jamendo:instrument---synthesizer", "mtat:synth"),
    _instrument("Violin", "jamendo:instrument---violin", "mtat:violin"),
    _voice("Choir", "mtat:choir", "mtat:choral"),
    _voice("Female Vocals", "msd:female vocalists", "mtat:female"),
    _voice("Instrumental", "msd:instrumental", "mtat:no vocals"),
    _voice("Male Vocals", "msd:male vocalists", "mtat:male"),
    _voice("Vocals", "jamendo:instrument---voice", "mtat:vocals"),
    _mood("Aggressive", taffc="Q2"),
    _mood("Calm", taffc="Q4"),
    _mood("Emotional", "jamendo:mood/theme---emotional"),
    _mood("Energetic", "jamendo:mood/theme---energetic"),
    _mood("Happy", "jamendo:mood/theme---happy", "msd:happy", taffc="Q1"),
    _mood("Party", "msd:party"),
    _mood("Relaxing", "jamendo:mood/theme---relaxing", "msd:Mellow"),
    _mood("Sad", "msd:sad", taffc="Q3"),
)  # fmt: skip

# Families whose first genre is not the main one.
_UNORDERED = frozenset({"taffc", "fma", "jamendo", "mtat"})


def family(source: str) -> str:
    """Which vocabulary a source speaks: `gtzan_short` speaks `gtzan`, `open:x` speaks `open`."""
    return source.partition(":")[0].partition("_")[0]


def truth(source: LabelSource, clip: Clip) -> float | None:
    """1.0 or 0.0 where the clip's data set knows the label, None where it does not."""
    words = source.truths.get(family(clip.source))
    if words is None:
        return _said(source.label.name, clip)
    return float(any(word in words for word in clip.genres + clip.moods))


def _said(label: str, clip: Clip) -> float | None:
    """1.0 if a word of a sparsely tagged clip means the label, 0.0 if one that was denied does, else None."""
    spoken = family(clip.source)
    if label in implied(labels_meant(spoken, clip.genres + clip.moods + clip.others)):
        return 1.0
    return 0.0 if label in labels_meant(spoken, clip.denied) else None


def teacher_targets(probabilities: dict[str, FloatArray], vocabularies: dict[str, list[str]]) -> FloatArray:
    """Mean of what the teachers say of each label (n, n_labels); NaN where none knows it.

    `probabilities`: teacher → (n, n_teacher_labels); `vocabularies`: teacher → its labels in order. A teacher
    speaks the vocabulary that its name ends with, "musicnn_msd" that of the Million Song Dataset.
    """
    n = len(next(iter(probabilities.values())))
    targets = np.full((n, len(LABELS)), np.nan, np.float32)
    for column, source in enumerate(LABELS):
        known = [
            probabilities[teacher][:, vocabularies[teacher].index(word)]
            for teacher in probabilities
            for vocabulary, word in source.teachers
            if vocabulary == _vocabulary_of(teacher)
        ]
        if known:
            targets[:, column] = np.mean(known, axis=0)
    return targets


def _vocabulary_of(teacher: str) -> str:
    ending = teacher.rpartition("_")[2]
    # Two short names of MagnaTagATune.
    return "mtat" if ending == "mtt" else ending


def main_genre(clip: Clip) -> str:
    """Return the one genre by which a clip is scored, in our words; '' if it has none or several.

    Sources that are not among the unordered name the main genre first.
    """
    spoken = family(clip.source)
    if not clip.genres or (spoken in _UNORDERED and len(clip.genres) > 1):
        return ""
    word = clip.genres[0]
    for source in LABELS:
        if source.label.group == "genre" and word in source.truths.get(spoken, ()):
            return source.label.name
    if meant := labels_meant(spoken, (word,), "genre"):
        return meant[0]
    return "Classical" if word == "Classical" else word if spoken == "taffc" else ""
