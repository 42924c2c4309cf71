"""How well tempo is heard, beside librosa on the same pieces, and what it costs beside decoding."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import librosa
import numpy as np

from model_training.synthesis.encode import write_audio
from model_training.synthesis.render import render_piece
from model_training.tempo.pieces import TempoPiece
from model_training.tempo.train import spectra_of
from musrecd.analysis.analyse import excerpt_plan
from musrecd.analysis.audio import listen
from musrecd.analysis.encoder import Encoder
from musrecd.analysis.frontend import chunks
from musrecd.analysis.rhythm import estimate_tempo

_WITHIN = 0.04
_WITHIN_RENDERED = 0.01
_OCTAVES = (1.0, 2.0, 3.0, 1 / 2, 1 / 3)
_TRACK_S = 240
_TRACK_SR = 44_100
_REPEATS = 7


@dataclass(frozen=True, slots=True)
class Found:
    """What was made of a piece: tempi in BPM, 0 for none."""

    piece: TempoPiece
    ours: float
    librosas: float


def measure(pieces: Iterable[TempoPiece], encoder: Encoder) -> list[Found]:
    """Hear every piece as serving does, and let librosa track its beats."""
    found = []
    names = [label.name for label in encoder.info.labels]
    rate = encoder.frontend.sr / encoder.frontend.hop_length
    for piece in pieces:
        y_chunks = list(chunks(piece.y, encoder.frontend))
        styles = dict(zip(names, encoder.encode(encoder.spectra(y_chunks))[1].tolist(), strict=True))
        tempo = estimate_tempo(spectra_of(y_chunks, encoder.frontend), rate, styles)
        librosas = librosa.feature.tempo(y=piece.y, sr=encoder.frontend.sr)
        found.append(Found(piece, tempo.bpm if tempo else 0.0, float(np.atleast_1d(librosas)[0])))
    return found


def agrees(bpm: float, truth: float, within: float, factors: Sequence[float] = (1.0,)) -> bool:
    """Whether `bpm` is the true tempo, or one of its multiples by `factors`."""
    return any(abs(bpm / (truth * factor) - 1) <= within for factor in factors)


def tables(found: Sequence[Found]) -> str:
    """One line for each source: Accuracy 1 and 2 within 4 %, and Accuracy 1 within 1 %, ours and librosa's."""
    by_source: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        by_source[one.piece.source].append(one)
        if one.piece.source != "clips":
            by_source["all rendered"].append(one)
    lines = [f"{'':18}{'n':>5}{'acc 1':>8}{'acc 2':>8}{'in 1 %':>8}   librosa:{'acc 1':>8}{'acc 2':>8}{'in 1 %':>8}"]
    for source, ones in sorted(by_source.items()):
        ours = _shares([(one.ours, one.piece.bpm) for one in ones])
        librosas = _shares([(one.librosas, one.piece.bpm) for one in ones])
        lines.append(f"{source:18}{len(ones):5}{ours}           {librosas}")
    return "\n".join(lines)


def _shares(pairs: Sequence[tuple[float, float]]) -> str:
    first = np.mean([agrees(bpm, truth, _WITHIN) for bpm, truth in pairs])
    second = np.mean([agrees(bpm, truth, _WITHIN, _OCTAVES) for bpm, truth in pairs])
    exact = np.mean([agrees(bpm, truth, _WITHIN_RENDERED) for bpm, truth in pairs])
    return "".join(f"{100 * share:8.1f}" for share in (first, second, exact))


def cost(encoder: Encoder) -> str:
    """CPU seconds for a track of four minutes: decoding, and tempo on spectra that are there."""
    decoding, tempo = [], []
    rate = encoder.frontend.sr / encoder.frontend.hop_length
    with TemporaryDirectory() as name:
        path = Path(name) / "track.mp3"
        write_audio(path, render_piece("house", 1, _TRACK_S, _TRACK_SR, channels=2), _TRACK_SR)
        for _ in range(_REPEATS):
            start = time.process_time()
            with listen(str(path), excerpt_plan(encoder.frontend.chunk_s)) as recording:
                ys = recording.decode(encoder.frontend.sr)
            decoding.append(time.process_time() - start)
            spectra = spectra_of([chunk for y in ys for chunk in chunks(y, encoder.frontend)], encoder.frontend)
            start = time.process_time()
            estimate_tempo(spectra, rate)
            tempo.append(time.process_time() - start)
    return f"CPU s for a track of four minutes: decoding {median(decoding):.3f}, tempo {median(tempo):.3f}"
