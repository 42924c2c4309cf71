"""What tests of all floors share: real music where it lies, rendered music, small weights, any audio file."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

# One thread each: several wait for one another on a busy machine, and workers of pytest-xdist make it busy.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A cache of compiled code each: two workers that fill librosa's together, in a fresh environment, may load code that
# the other compiled for other types, and crash.
os.environ["NUMBA_CACHE_DIR"] = str(
    Path(__file__).parent.parent / ".pytest_cache" / "numba" / os.environ.get("PYTEST_XDIST_WORKER", "main")
)

import av
import numpy as np
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from model_training.recipes import Recipe

# Other work may keep the machine busy, so no example fails for being slow.
settings.register_profile("musrec", deadline=None, max_examples=60)
settings.load_profile("musrec")

# Suffix → (container, codec); codecs that can be asked for by name beside these: see `make_audio`.
_CONTAINERS = {
    ".wav": ("wav", "pcm_s16le"),
    ".flac": ("flac", "flac"),
    ".mp3": ("mp3", "libmp3lame"),
    ".ogg": ("ogg", "vorbis"),
    ".opus": ("ogg", "libopus"),
    ".m4a": ("ipod", "aac"),
    ".aiff": ("aiff", "pcm_s16be"),
    ".wma": ("asf", "wmav2"),
    ".wv": ("wv", "wavpack"),
    ".mka": ("matroska", "flac"),
    ".tta": ("tta", "tta"),
}
_BIT_RATES = {"libmp3lame": 192_000, "vorbis": 192_000, "libopus": 128_000, "aac": 192_000, "wmav2": 192_000}
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
_BLOCK = 65536


def _needed(path: Path, what: str) -> Path:
    """Skip without `path`; where everything has to be tested, fail instead."""
    if path.exists():
        return path
    reason = f"{what} is not at {path} (set MUSREC_SHARED to the folder that holds it)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest) -> Path:
    """The folder with real audio, teachers and tools, beside the project or where MUSREC_SHARED says."""
    beside = request.config.rootpath.parent / "shared"
    return _needed(Path(os.environ.get("MUSREC_SHARED", beside)), "the folder of shared data")


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with twelve pieces of 6 s, of several styles, artists and formats, tagged. Do not change it."""
    from model_training.synthesis import write_library

    folder = tmp_path_factory.mktemp("rendered")
    write_library(folder, n_pieces=12, seconds=6.0)
    return folder


@pytest.fixture(scope="session")
def rendered_files(rendered: Path) -> list[Path]:
    """The files of `rendered`, in order."""
    return sorted(path for path in rendered.rglob("*") if path.is_file())


def write_recipe_weights(weights: Path, recipe: "Recipe", *, version: str = "tiny-1", seed: int = 0) -> Path:
    """Write an untrained network and its card, as `model_training.export` writes trained ones."""
    import librosa
    import torch
    from safetensors.torch import save

    from musrecd.analysis.encoder import MEL_FILTERS
    from musrecd.analysis.networks import build_network

    groups = {
        "genre": ("Ambient", "Classical", "Hip Hop", "Jazz", "Rock"),
        "instrument": ("Drums", "Piano"),
        "voice": ("Female Vocals", "Instrumental"),
        "mood": ("Calm", "Energetic"),
    }
    labels = [{"name": name, "group": group} for group, names in groups.items() for name in names]
    frontend, arguments = recipe.frontend, recipe.network_arguments(len(labels))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build_network(recipe.network, arguments)
        # Without statistics of its own the last batch norm would let a constant drown what differs.
        network.train()(20 * torch.randn(16, frontend.n_mels, 64).cumsum(2) / 8 - 40)
    state = {k: v.contiguous() for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    filters = librosa.filters.mel(sr=frontend.sr, n_fft=frontend.n_fft, n_mels=frontend.n_mels)
    data = save(state | {MEL_FILTERS: torch.from_numpy(filters)})
    card = {
        "version": version,
        "weights_sha256": hashlib.sha256(data).hexdigest(),
        "network": recipe.network,
        "network_arguments": arguments,
        "frontend": frontend.to_dict(),
        "labels": labels,
    }
    weights.write_bytes(data)
    weights.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    return weights


def write_tiny_weights(weights: Path, *, version: str = "tiny-1", seed: int = 0, channels: tuple[int, ...] = (8, 16)):
    """Write an untrained `musrec` network that is small and quick."""
    from model_training.recipes import Recipe
    from musrecd.analysis.frontend import FrontendConfig

    arguments = {"dim": 32, "stem": 8, "channels": list(channels), "depths": [1] * len(channels)}
    recipe = Recipe("musrec", arguments, FrontendConfig())
    return write_recipe_weights(weights, recipe, version=version, seed=seed)


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights (safetensors, the card beside them) of a small untrained encoder: 32 dimensions, 11 labels."""
    return write_tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture(scope="session")
def make_weights() -> Callable[..., Path]:
    """Return a function (path, *, version, seed, channels) that writes other small weights with a card."""
    return write_tiny_weights


@pytest.fixture(scope="session")
def make_recipe_weights() -> Callable[..., Path]:
    """Return a function (path, recipe, *, version, seed) that writes untrained weights of any recipe with a card."""
    return write_recipe_weights


def sound(seconds: float, sr: int, channels: int = 2) -> np.ndarray:
    """Sweeps (channels, n) float32, another one in every channel, between 200 and 3400 Hz, loud and soft."""
    t = np.arange(round(seconds * sr)) / sr
    y = []
    for channel in range(channels):
        low, high = 200 + 90 * channel, 2000 + 200 * channel
        phase = 2 * np.pi * (low * t + (high - low) * t**2 / (2 * seconds))
        y.append(0.4 * np.sin(phase) * (0.6 + 0.4 * np.sin(2 * np.pi * (0.7 + 0.2 * channel) * t)))
    return np.array(y, np.float32)


def encode(path: Path, y: np.ndarray, sr: int, codec: str | None = None) -> None:
    """Write `y` (channels, n) with the codec, or the usual one of the suffix."""
    container_name, usual = _CONTAINERS[path.suffix]
    codec = codec or usual
    layout = _LAYOUTS[len(y)]
    options = {"strict": "experimental"} if codec == "vorbis" else {}
    with av.open(str(path), "w", format=container_name) as container:
        stream = container.add_stream(codec, sr, options, layout=layout)
        if codec == "wavpack":
            stream.codec_context.format = "s16p"
        if codec in _BIT_RATES:
            stream.bit_rate = _BIT_RATES[codec] * max(1, len(y) // 2)
        resampler = av.AudioResampler(stream.format.name, layout, sr, stream.codec_context.frame_size or None)
        for start in range(0, y.shape[1], _BLOCK):
            block = np.ascontiguousarray(y[:, start : start + _BLOCK].T, np.float32).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(block, format="flt", layout=layout)
            frame.sample_rate, frame.pts = sr, start
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
        for ready in resampler.resample(None):
            container.mux(stream.encode(ready))
        container.mux(stream.encode(None))


@pytest.fixture(scope="session")
def make_audio() -> Callable[..., np.ndarray]:
    """Return a function that writes an audio file and returns the samples (channels, n) that went into it.

    The suffix says the container; `codec` is an encoder of FFmpeg (for WAV pcm_s16le, pcm_s24le, pcm_f32le,
    pcm_u8; for M4A aac, alac). Without `y` the sound is a sweep, another one in each of 1, 2, 6 or 8 channels.
    """

    def make(
        path: Path,
        seconds: float = 3.0,
        sr: int = 44_100,
        channels: int = 2,
        *,
        codec: str | None = None,
        y: np.ndarray | None = None,
    ) -> np.ndarray:
        y = sound(seconds, sr, channels) if y is None else np.atleast_2d(y).astype(np.float32)
        encode(path, y, sr, codec)
        return y

    return make


@pytest.fixture(scope="session")
def tagged() -> Callable[[Path, str], None]:
    """Return a function (path, words) that rewrites the tags of a file, whatever its format."""
    import mutagen

    def write(path: Path, words: str) -> None:
        file = mutagen.File(path, easy=True)
        if file.tags is None:
            file.add_tags()
        file["title"] = words
        file.save()

    return write
