"""`musrecd show`: everything that musrec knows or hears of files."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from musrecd.commands.similar import tracks_by_words
from musrecd.config import Config
from musrecd.display import printable_path
from musrecd.errors import AudioError
from musrecd.ingest.tags import read_tags
from musrecd.keys import camelot, open_key
from musrecd.library.reader import LibraryReader
from musrecd.tagging.predict import Prediction, certain, most_probable
from musrecd.types import FloatArray, Label, Tags, Track

if TYPE_CHECKING:
    from musrecd.analysis.analyse import Closely

GROUPS = ("genre", "instrument", "voice", "mood")


@dataclass(frozen=True, slots=True)
class Sheet:
    """All about one file. `closely` holds what is only known of what was heard just now; then `heard_at` is empty.

    `labels` are by group, surest first; `copies` are other files that hold the recording.
    """

    path: bytes
    tags: Tags
    duration_s: float
    audio_id: str
    encoder: str
    heard_at: str
    n_damaged_packets: int
    bpm: float | None
    bpm_confidence: float | None
    key: str | None
    key_confidence: float | None
    labels: dict[str, list[Prediction]]
    copies: list[bytes]
    closely: "Closely | None" = None


@dataclass(slots=True)
class Shown:
    """The sheets, how many more tracks the words name, and the files that could not be heard, with the reasons."""

    sheets: list[Sheet] = field(default_factory=list)
    n_more: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)


def sheets_of(config: Config, names: Sequence[str], *, hear: bool = False) -> Shown:
    """Describe files, in the library or not, and the tracks that words name; with `hear` they are heard now.

    Raises MusrecError if words name nothing, EncoderError, LibraryError.
    """
    files = [os.path.abspath(os.fsencode(name)) for name in names if os.path.lexists(name)]
    words = " ".join(name for name in names if not os.path.lexists(name))
    shown = Shown()
    known: dict[bytes, Sheet] = {}
    told: dict[bytes, Tags] = {}
    if words or config.library.exists():
        with LibraryReader.open(config.library) as reader:
            info = reader.encoder()
            version, labels = (info.version, info.labels) if info else ("", ())
            tracks = list(reader.tracks_at(files, version).values())
            found = tracks_by_words(reader, version, words) if words else []
            shown.n_more = max(0, len(found) - config.number)
            tracks += found[: config.number]
            if not hear:
                known = {sheet.path: sheet for sheet in _known(reader, tracks, version, labels)}
            files += [track.path for track in tracks]
            told = {track.path: track.tags for track in tracks}
    wanted = list(dict.fromkeys(files))
    heard = _heard(config, {path: told.get(path, Tags()) for path in wanted if path not in known}, shown)
    shown.sheets = [sheet for path in wanted if (sheet := known.get(path) or heard.get(path)) is not None]
    return shown


def _known(reader: LibraryReader, tracks: Sequence[Track], version: str, labels: Sequence[Label]) -> list[Sheet]:
    """Describe tracks of the library; those whose analysis is damaged are left out."""
    numbers = list(dict.fromkeys(track.recording_id for track in tracks))
    details = reader.details(numbers, version)
    probabilities = reader.probabilities(numbers, version) if numbers else {}
    sheets = []
    for track in tracks:
        if (values := probabilities.get(track.recording_id)) is None:
            continue
        heard = details[track.recording_id]
        sheets.append(
            Sheet(
                path=track.path,
                tags=_tags(track.path, track.tags),
                duration_s=track.duration_s,
                audio_id=heard.audio_id,
                encoder=version,
                heard_at=heard.analysed_at,
                n_damaged_packets=heard.n_damaged_packets,
                bpm=heard.bpm,
                bpm_confidence=heard.bpm_confidence,
                key=heard.key,
                key_confidence=heard.key_confidence,
                labels=_by_group(values, labels),
                copies=[path for path in reader.files_of(heard.audio_id) if path != track.path],
            )
        )
    return sheets


def _tags(path: bytes, told: Tags) -> Tags:
    """Return what the file says now; where it says nothing, or its disk is away, what the library was told."""
    said = read_tags(path)
    return Tags(
        said.artist or told.artist,
        said.title or told.title,
        said.album or told.album,
        said.genres or told.genres,
        said.year or told.year,
    )


def _heard(config: Config, told: Mapping[bytes, Tags], shown: Shown) -> dict[bytes, Sheet]:
    """Hear files in this process: only here it is known what else their tempo could be."""
    if not told:
        return {}
    from musrecd.analysis.analyse import analyse_closely
    from musrecd.analysis.card import SHIPPED_WEIGHTS
    from musrecd.analysis.encoder import load_encoder

    encoder = load_encoder(config.encoder or SHIPPED_WEIGHTS, config.coverage)
    sheets = {}
    for path, tags in told.items():
        try:
            closely = analyse_closely(path, encoder)
        except AudioError as error:
            shown.failures.append((printable_path(path), str(error)))
            continue
        analysis = closely.analysis
        sheets[path] = Sheet(
            path=path,
            tags=_tags(path, tags),
            duration_s=analysis.duration_s,
            audio_id=analysis.audio_id,
            encoder=analysis.encoder_version,
            heard_at="",
            n_damaged_packets=analysis.n_damaged_packets,
            bpm=analysis.bpm,
            bpm_confidence=analysis.bpm_confidence,
            key=analysis.key,
            key_confidence=analysis.key_confidence,
            labels=_by_group(analysis.probabilities, encoder.info.labels),
            copies=_copies(config, analysis.audio_id, path),
            closely=closely,
        )
    return sheets


def _copies(config: Config, audio_id: str, path: bytes) -> list[bytes]:
    if not config.library.exists():
        return []
    with LibraryReader.open(config.library) as reader:
        return [copy for copy in reader.files_of(audio_id) if copy != path]


def _by_group(probabilities: FloatArray, labels: Sequence[Label]) -> dict[str, list[Prediction]]:
    """Sort labels into their groups; a voice is sung or instrumental, with its share of both."""
    return {
        group: certain(probabilities, labels, group, 0.0)
        if group == "voice"
        else most_probable(probabilities, labels, group=group, number=len(labels))
        for group in GROUPS
    }


def to_dict(sheet: Sheet) -> dict[str, Any]:
    """Return a sheet for `--json`; paths that are no text keep their bytes as `\\udcXX`."""
    tags, closely = sheet.tags, sheet.closely
    return {
        "path": os.fsdecode(sheet.path),
        "artist": tags.artist,
        "title": tags.title,
        "album": tags.album,
        "genres": list(tags.genres),
        "year": tags.year,
        "length": round(sheet.duration_s, 2),
        "bpm": _rounded(sheet.bpm, 2),
        "bpm_confidence": _rounded(sheet.bpm_confidence, 4),
        "tempo_candidates": _candidates(sheet),
        "tempo_is_steady": closely.tempo.is_steady if closely and closely.tempo else None,
        "key": sheet.key,
        "key_confidence": _rounded(sheet.key_confidence, 4),
        "second_key": closely.key.alternative if closely and closely.key else None,
        "tuning_cents": round(closely.key.tuning_cents, 1) if closely and closely.key else None,
        "camelot": camelot(sheet.key) if sheet.key else None,
        "open_key": open_key(sheet.key) if sheet.key else None,
        "sounds_like": {
            group: {each.name: round(each.probability, 4) for each in found} for group, found in sheet.labels.items()
        },
        "copies": [os.fsdecode(path) for path in sheet.copies],
        "damaged_packets": sheet.n_damaged_packets,
        "heard_at": sheet.heard_at or None,
        "encoder": sheet.encoder,
        "recording": sheet.audio_id,
    }


def _candidates(sheet: Sheet) -> list[dict[str, float]] | None:
    if sheet.closely is None or sheet.closely.tempo is None:
        return None
    others = sheet.closely.tempo.candidates
    return [{"bpm": round(each.bpm, 2), "probability": round(each.probability, 4)} for each in others]


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
