"""Text that is safe and pleasant to read on a terminal, whatever a tag or a file name holds."""

import os
import unicodedata

# Cc: control characters (escape sequences), Cf: bidirectional overrides and their like, Cs: lone surrogates,
# Zl and Zp: line and paragraph separators.
_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# These format characters belong to ordinary text: zero-width joiners of emoji and of Indic scripts.
_ALLOWED = {"\u200c", "\u200d"}


def printable(text: str) -> str:
    """Return `text` with every character that could steer a terminal shown as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if unicodedata.category(c) in _UNSAFE and c not in _ALLOWED else c for c in text)


def printable_path(path: bytes | str) -> str:
    """Return a path as text to show; bytes that are no text appear as escapes like `\\xe9`."""
    raw = os.fsencode(path)
    return printable(raw.decode("utf-8", "backslashreplace"))


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def clock(seconds: float) -> str:
    """Return a length as `m:ss`, or `h:mm:ss` from an hour on."""
    minutes, s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{s:02d}" if hours else f"{minutes}:{s:02d}"


def counted(n: int, noun: str) -> str:
    """Return `1 track`, `1,234 tracks`."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
