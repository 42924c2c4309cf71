"""Files that are no music, lie, or would take all memory; and tags that would like to be more than text."""

import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import threading
import time
import wave
from pathlib import Path

import psutil

import tests.faults
from tests.faults.place import Daemon, Place, until
from tests.faults.scenario import scenario
from tests.faults.sounds import write_sound

_MOST_WORKER_MB = 2500
# A file that is heard or refused costs a line; so many more are said by the daemon itself.
_OTHER_LINES = 20
_EVIL = {
    "escape": "\x1b]0;PWNED\x07\x1b[2J\x1b[31mred",
    "newline": "line1\nat=ERROR in=work msg=fake\r\n",
    "bidi": "abc\u202egpj.3pm\u202c",
    "sql": "'; DROP TABLE files;-- \" OR 1=1",
    "format": "%s%n%d {0.__class__.__mro__} {{7*7}} ${7*7} $path %upper{x}",
    "shell": "$(touch /tmp/PWNED1) `touch /tmp/PWNED2`; touch /tmp/PWNED3 #",
    "long": "A" * 100_000,
}


@scenario()
def hostile_media(place: Place) -> str:
    """Text, pictures, random bytes, lying headers, bombs and ten hours called music, all at once."""
    tool = _tool()
    if tool is not None and place.big:
        subprocess.run([sys.executable, tool, place.music, "--big"], check=True, capture_output=True)
        (place.music / "manifest.json").rename(place.folder / "manifest.json")
    else:
        _write_hostile(place.music / "broken")
    before = _contents(place.music)
    with place.daemon() as daemon:
        most = _watch_memory(daemon)
        daemon.wait_idle(900)
        failures = place.failures()
        n_lines = len(place.log_text().splitlines())
        place.check_alive(place.music / "after.wav")
        # A look brings nothing back.
        n_failed = place.n_logged("failed")
        place.musrecd("status")
        daemon.end()
    with place.daemon() as daemon:
        daemon.wait_idle()
        daemon.end()
    place.check_sound()
    assert place.n_logged("failed") == n_failed, "tried again"
    after = _contents(place.music)
    del after[place.music / "after.wav"]
    assert after == before, "files were changed"
    assert most["worker"] < _MOST_WORKER_MB
    assert all(failures.values()), "a failure without a reason"
    assert n_lines <= len(before) + _OTHER_LINES, f"{n_lines} lines for {len(before)} files"
    assert not list(Path("/tmp").glob("PWNED*"))
    wrong = _unexpected(place, set(failures))
    assert not wrong, wrong
    return (
        f"{len(before)} files: {place.n_found() - 1} heard, {len(failures)} refused with a reason;"
        f" a worker {most['worker']:.0f} MB at most, the daemon {most['daemon']:.0f} MB"
    )


@scenario(quick=True)
def hostile_tags(place: Place) -> str:
    """Tags and names with escapes, line feeds, bidirectional marks, SQL and templates."""
    names = [place.music / f"{name}.wav" for name in _EVIL]
    for number, (path, text) in enumerate(zip(names, _EVIL.values(), strict=True)):
        write_sound(path, number)
        _tag(path, text)
    strange = [
        b"esc\x1b[31m.wav",
        b"line\nfeed.wav",
        "bidi\u202egpj.wav".encode(),
        b"caf\xe9.wav",
        b"-rf.wav",
        b"%s.wav",
    ]
    for number, name in enumerate(strange, 100):
        write_sound(place.music / os.fsdecode(name), number)
    (place.music / "broken\x1b[2J\n.mp3").write_bytes(b"no music")
    with place.daemon() as daemon:
        daemon.wait_idle()
        n_files = len(names) + len(strange)
        until(lambda: place.n_found() == n_files, 60, "all to be heard")
        texts = [place.musrecd("status"), place.musrecd("failures"), place.log_text()]
        texts += [place.musrecd("similar", str(path), "-n", "20") for path in names]
        texts.append(place.musrecd("similar", "drop", "table", "-n", "20"))
        said = json.dumps(daemon.ask())
        daemon.end()
    place.check_sound()
    assert "\x1b" not in said
    for text in texts:
        assert not any(c in text for c in "\x1b\x07\u202e\r\x00"), repr(text[:200])
    assert "at=ERROR in=work msg=fake" not in place.log_text().splitlines()
    assert all(line.startswith("at=") for line in place.log_text().splitlines())
    assert not list(Path("/tmp").glob("PWNED*"))
    return f"{n_files} files with hostile tags or names; nothing raw in {len(texts)} outputs"


@scenario()
def many_alike(place: Place) -> str:
    """Ten thousand files that fail alike."""
    n_files = 10_000 if place.big else 100
    folder = place.music / "alike"
    folder.mkdir()
    for number in range(n_files):
        (folder / f"{number:05d}.mp3").write_bytes(b"this is no music %d" % number)
    with place.daemon() as daemon:
        began = time.monotonic()
        daemon.wait_idle(1800)
        seconds = time.monotonic() - began
        assert len(place.failures()) == n_files
        n_bytes = place.log.stat().st_size
        place.check_alive(place.music / "after.wav")
        mb = daemon.rss_mb()
        daemon.end()
    lines = place.log_text().splitlines()
    assert len(lines) < 50, f"{len(lines)} lines"
    place.check_sound()
    return f"{n_files} failures in {seconds:.0f} s: {len(lines)} lines, {n_bytes / 1e3:.0f} kB of log; {mb:.0f} MB"


def _tool() -> Path | None:
    """Find the generator of hostile media, where the shared folder is beside the project."""
    shared = os.environ.get("MUSREC_SHARED") or Path(tests.faults.__file__).parents[3] / "shared"
    tool = Path(shared) / "tools" / "make_hostile_media.py"
    return tool if tool.exists() and shutil.which("ffmpeg") else None


def _unexpected(place: Place, refused: set[Path]) -> list[str]:
    """Files that were heard although no sound is in them, or refused although there is."""
    manifest = place.folder / "manifest.json"
    if not manifest.exists():
        return [] if len(refused) == len(list((place.music / "broken").glob("bad*"))) else sorted(map(str, refused))
    entries = json.loads(manifest.read_text(encoding="utf-8"))
    wanted = {place.music / each["file"] for each in entries if each["expect"] == "genre"}
    return [f"refused: {path.name}: {place.failures()[path]}" for path in wanted & refused]


def _contents(folder: Path) -> dict[Path, str]:
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path: hashlib.blake2b(path.read_bytes()).hexdigest() for path in found}


def _watch_memory(daemon: Daemon) -> dict[str, float]:
    """Note the most that daemon and workers take, until it ends."""
    most = {"daemon": 0.0, "worker": 0.0}

    def watch() -> None:
        while daemon.is_running:
            for worker in daemon.workers():
                try:
                    most["worker"] = max(most["worker"], worker.memory_info().rss / 1e6)
                except psutil.Error:
                    continue
            try:
                most["daemon"] = max(most["daemon"], daemon.rss_mb())
            except psutil.Error:
                return
            time.sleep(0.1)

    threading.Thread(target=watch, daemon=True).start()
    return most


def _tag(path: Path, text: str) -> None:
    from mutagen.id3 import TALB, TIT2, TPE1
    from mutagen.wave import WAVE

    file = WAVE(path)
    file.add_tags()
    for frame in (TIT2, TPE1, TALB):
        file.tags.add(frame(encoding=3, text=[text]))
    file.save()


def _write_hostile(folder: Path) -> None:
    """Write a few files that are no music (`bad…`) or odd (`odd…`)."""
    folder.mkdir()
    rng = random.Random(5)
    bad = {
        "empty.mp3": b"",
        "one.flac": b"f",
        "text.mp3": b"This is not music.\n" * 200,
        "html.mp3": b"<!doctype html><h1>404</h1>" * 50,
        "random.flac": rng.randbytes(20_000),
        "zeros.mp3": bytes(100_000),
        "picture.mp3": b"\x89PNG\r\n\x1a\n" + rng.randbytes(500),
        "playlist.mp3": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        "id3-256MB.mp3": b"ID3\4\0\0\x7f\x7f\x7f\x7f" + bytes(500),
        "atom.m4a": struct.pack(">I", 1) + b"ftyp" + struct.pack(">Q", 1 << 62) + bytes(64),
        "atoms.m4a": b"".join(struct.pack(">I", 8 * (2000 - i)) + b"moov" for i in range(2000)),
        "nan.wav": _float_wav([float("nan")] * 22_050),
        "header.wav": _float_wav([]),
    }
    for name, content in bad.items():
        (folder / f"bad-{name}").write_bytes(content)
    tone = [0.3 * rng.uniform(-1, 1) for _ in range(44_100)]
    (folder / "odd-some-nan.wav").write_bytes(_float_wav([*tone[:20_000], float("nan"), float("inf"), *tone[20_000:]]))
    (folder / "odd-lies.wav").write_bytes(_float_wav(tone, claims=2**32 - 1))
    with wave.open(str(folder / "odd-8ch-192k.wav"), "wb") as file:
        file.setparams((8, 2, 192_000, 0, "NONE", ""))
        file.writeframes(rng.randbytes(16 * 96_000))
    with wave.open(str(folder / "odd-ten-hours.wav"), "wb") as file:
        file.setparams((1, 1, 4000, 4000 * 36_000, "NONE", ""))
        file.writeframesraw(rng.randbytes(40_000))
    os.truncate(folder / "odd-ten-hours.wav", 4000 * 36_000)


def _float_wav(samples: list[float], claims: int | None = None) -> bytes:
    data = struct.pack(f"<{len(samples)}f", *samples)
    n_bytes = len(data) if claims is None else claims
    header = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 3, 1, 22_050, 88_200, 4, 32)
    return header + b"data" + struct.pack("<I", n_bytes) + data
