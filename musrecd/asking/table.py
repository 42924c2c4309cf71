"""The options of `beet similar` and `musrecd similar`: one table for both; what they mean is in `options.py`.

It imports nothing, because every command of `musrecd` makes all options.
"""

from typing import NamedTuple


class Option(NamedTuple):
    """One option: `metavar` is None for a switch, `is_multiple` if it may be given several times."""

    name: str
    help: str
    metavar: str | None = None
    is_multiple: bool = False

    @property
    def flag(self) -> str:
        """The option as it is typed."""
        return "--" + self.name.replace("_", "-")


RULES = (
    Option("bpm", "tempo within that much of the seed, half and double count (such as 6%)", "PERCENT"),
    Option("key", "keys that mix: compatible, same, or energy (a lift is allowed, too)", "RULE"),
    Option("label", "sounds like all of these (guitar,female); again for an alternative", "NAMES", is_multiple=True),
    Option("not_label", "sounds like none of these", "NAMES", is_multiple=True),
    Option(
        "genre", "any or same (of the seeds' genres), or all of these names; again for an alternative", "NAMES", True
    ),
    Option("year", "in these years: 1994, 1990..1999, 1990.., ..1979", "RANGE"),
    Option("length", "of this length in minutes: 3:00..6:30, ..8:00", "RANGE"),
)
CHOICE = (
    Option("preset", "listen (the default), mix (for DJs), or produce", "NAME"),
    Option("max_per_artist", "at most so many tracks of one artist", "N"),
    Option("max_per_album", "at most so many tracks of one album", "N"),
    Option("not_same_artist", "nothing by the artists asked about"),
    Option("no_duplicates", "one of live, remastered and other versions of a song"),
    Option("diverse", "how much variety counts, 0 to 1", "X"),
    Option("fresh", "less of what was suggested before"),
    Option("strict", "show less rather than what breaks a rule"),
    Option("order", "score (the default), or flow: as a set, by tempo, key and sound", "ORDER"),
    Option("explain", "say for each track what speaks for it"),
)
OUTPUT = (
    Option("playlist", "write the tracks into a playlist (.m3u8), too", "FILE"),
    Option("mpd", "add the tracks to the queue of MPD, too"),
)
