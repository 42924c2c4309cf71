"""Kinds of music for `grooves.py`: who plays what, in patterns of sixteenths or triplets, a bar or two long."""

from dataclasses import dataclass

KICK, SNARE, RIM, CLAP, CLOSED, PEDAL, OPEN, RIDE = 36, 38, 37, 39, 42, 44, 46, 51
TAMBOURINE, COWBELL, HIGH_CONGA, LOW_CONGA, CLAVES, SHAKER = 54, 56, 62, 64, 75, 70

_FINGERED, _UPRIGHT, _SYNTH_BASS = (33, 34, 36), (32, 33), (38, 39, 87)
_PIANO, _ORGAN, _ELECTRIC_PIANO = (0, 1, 2), (16, 17, 18), (4, 5)
_NYLON, _STEEL, _CLEAN, _DRIVEN = (24,), (25,), (26, 27, 28), (29, 30)
_STRINGS, _PADS, _SYNTHS = (48, 49, 50), (88, 89, 91, 94), (62, 63, 80, 81, 90)
_HORNS, _REEDS, _WINDS = (56, 57, 61), (64, 65, 66, 71), (72, 73, 75, 22)
_STANDARD, _ROOM, _POWER, _ELECTRONIC, _ANALOGUE, _JAZZ, _BRUSH = 0, 8, 16, 24, 25, 32, 40
_ROCK_KITS, _MACHINES, _SOFT_KITS = (_STANDARD, _ROOM, _POWER), (_ELECTRONIC, _ANALOGUE), (_JAZZ, _BRUSH, _STANDARD)

_BACKBEAT = ("....x.......x...",)
_EIGHTHS = ("x.x.x.x.x.x.x.x.",)
_HATS = ("x.x.x.x.x.x.x.x.", "x...x...x...x...", "xxxxxxxxxxxxxxxx")
_FOUR = ("x...x...x...x...",)
_OFFBEAT = ("..x...x...x...x.",)
_HELD = ("x...............", "x.......x.......")
_NONE = ("................",)


@dataclass(frozen=True, slots=True)
class Groove:
    """A way to play: usual tempi in BPM, what drums, bass and chords play, and on which General MIDI programs.

    There are `steps` in a beat; of four, the offbeat falls at `swing` (0.5 is straight). `drummed` is the share of
    pieces with drums. What musicians would write at twice or half the tempo if it were much slower or faster is not
    `at_any_tempo`: its beat is told by its tempo alone.
    """

    bpm: tuple[int, int]
    drums: dict[int, tuple[str, ...]]
    bass: tuple[str, ...]
    chords: tuple[str, ...]
    basses: tuple[int, ...] = _FINGERED
    chorders: tuple[int, ...] = _PIANO + _CLEAN
    leaders: tuple[int, ...] = _SYNTHS + _REEDS + _DRIVEN
    kits: tuple[int, ...] = _ROCK_KITS
    swing: float = 0.5
    steps: int = 4
    drummed: float = 0.8
    at_any_tempo: bool = True

    @property
    def bar(self) -> int:
        """Steps in a bar."""
        return max(map(len, self.bass))


_ROCK_BASS = (*_EIGHTHS, "x.......x.....x.", "x..x..x.x..x..x.", "x...x...x...x...")

GROOVES = {
    "rock": Groove(
        (84, 172),
        {
            KICK: ("x.......x.......", "x.....x.x.......", "x..x..x.x.x.....", "x.x.....x.x...x.", "x.......x.x....."),
            SNARE: _BACKBEAT,
            CLOSED: _HATS[:2],
        },
        _ROCK_BASS,
        ("x...............", "x..x..x.x..x..x.", "x...x...x...x...", *_EIGHTHS),
        chorders=_DRIVEN + _CLEAN + _ORGAN,
    ),
    "pop": Groove(
        (80, 132),
        {
            KICK: ("x.......x.......", "x.....x.x...x...", "x...x...x...x...", "x..x....x.x.....", "x.........x....."),
            SNARE: (*_BACKBEAT, "....x.......x..x"),
            CLOSED: _HATS,
            TAMBOURINE: (*_NONE, *_NONE, *_FOUR),
        },
        _ROCK_BASS,
        (*_HELD, "x..x..x...x..x..", *_FOUR, *_EIGHTHS),
        chorders=_PIANO + _CLEAN + _STEEL + _PADS + _ELECTRIC_PIANO,
    ),
    "disco": Groove(
        (106, 134),
        {
            KICK: _FOUR,
            SNARE: _BACKBEAT,
            OPEN: (*_OFFBEAT, *_NONE),
            CLOSED: ("x.xxx.xxx.xxx.xx", *_HATS),
        },
        ("x.x.x.x.x.x.x.x.", "x..x..x.x..x..x.", "..x...x...x...x."),
        ("..x...x...x...x.", "x...............", "..x..x....x..x.."),
        chorders=_CLEAN + _STRINGS + _ELECTRIC_PIANO,
        leaders=_STRINGS + _HORNS,
    ),
    "house": Groove(
        (116, 132),
        {
            KICK: _FOUR,
            CLAP: (*_BACKBEAT, *_NONE),
            OPEN: _OFFBEAT,
            CLOSED: (*_NONE, "xxxxxxxxxxxxxxxx", "x.x.x.x.x.x.x.x."),
            SHAKER: (*_NONE, "xxxxxxxxxxxxxxxx"),
        },
        ("..x...x...x...x.", "x..x..x..x..x...", "..xx..xx..xx..xx"),
        ("..x...x...x...x.", "x..x..x...x..x..", *_HELD),
        basses=_SYNTH_BASS,
        chorders=_SYNTHS + _PADS + _PIANO + _ORGAN,
        leaders=_SYNTHS,
        kits=_MACHINES,
        drummed=0.9,
    ),
    "techno": Groove(
        (122, 152),
        {
            KICK: _FOUR,
            OPEN: (*_OFFBEAT, *_NONE),
            CLOSED: ("xxxxxxxxxxxxxxxx", "..x...x...x...x.", "x.x.x.x.x.x.x.x."),
            CLAP: (*_NONE, *_BACKBEAT),
            RIM: (*_NONE, "...x..x....x..x.", "..x..x..x..x..x."),
        },
        ("xxxxxxxxxxxxxxxx", ".xxx.xxx.xxx.xxx", "..x...x...x...x.", "x..x..x.x..x..x."),
        (*_HELD, "x..x..x..x..x...", "..x..x....x..x..", *_NONE),
        basses=_SYNTH_BASS,
        chorders=_SYNTHS + _PADS,
        leaders=_SYNTHS,
        kits=_MACHINES,
        drummed=0.95,
        at_any_tempo=False,
    ),
    "hip hop": Groove(
        (74, 108),
        {
            KICK: ("x..x......x.....", "x.....x..xx.....", "x.x.......x..x..", "x.........x.....", "x......x..x....."),
            SNARE: _BACKBEAT,
            CLOSED: ("x.x.x.x.x.x.x.x.", "x.xxx.x.x.xxx.x.", "xxxxxxxxxxxxxxxx"),
        },
        ("x..x......x.....", "x.....x...x..x..", "x..............."),
        (*_HELD, "x.....x.........", *_NONE),
        basses=_SYNTH_BASS + _FINGERED,
        chorders=_ELECTRIC_PIANO + _STRINGS + _PADS + _PIANO,
        kits=(*_MACHINES, _STANDARD),
        swing=0.56,
        drummed=0.95,
    ),
    "drum and bass": Groove(
        (160, 180),
        {
            KICK: ("x.........x.....", "x..x......x.....", "x.x.......x.x...", "x.........xx...."),
            SNARE: (*_BACKBEAT, "....x..x.x..x...", "....x..x....x..x"),
            CLOSED: ("x.x.x.x.x.x.x.x.", "xxxxxxxxxxxxxxxx", "x.xxx.x.x.xxx.x."),
        },
        ("x.........x.....", "x...............", "x.....x...x....."),
        (*_HELD, *_NONE),
        basses=_SYNTH_BASS,
        chorders=_PADS + _STRINGS,
        leaders=_SYNTHS,
        kits=(*_MACHINES, _STANDARD, _POWER),
        drummed=1.0,
    ),
    "swing": Groove(
        (104, 216),
        {
            RIDE: ("x...x.x.x...x.x.", "x...x...x...x..."),
            PEDAL: _BACKBEAT,
            KICK: ("x...............", "x...x...x...x...", *_NONE),
        },
        ("x...x...x...x...", "x...x...x...x...", "x.......x......."),
        ("x.....x.........", "..........x.....", "x...............", "..x.......x.....", "....x.......x..."),
        basses=_UPRIGHT,
        chorders=_PIANO + _CLEAN,
        leaders=_REEDS + _HORNS + (11, 26),
        kits=_SOFT_KITS,
        swing=0.64,
        at_any_tempo=False,
    ),
    "reggae": Groove(
        (62, 92),
        {
            KICK: ("........x.......", "x.......x.......", "x...x...x...x...", "....x.......x..."),
            RIM: ("........x.......", "....x.......x..."),
            CLOSED: ("x.x.x.x.x.x.x.x.", "..x...x...x...x."),
        },
        ("x..x..x.x.......", "x.....x.x..x....", "x.x...x.x.x....."),
        ("..x...x...x...x.", "....x.......x..."),
        chorders=_CLEAN + _ORGAN + _PIANO,
        leaders=_HORNS + _ORGAN,
        swing=0.53,
        at_any_tempo=False,
    ),
    "ballad": Groove(
        (54, 92),
        {
            KICK: ("x.......x.x.....", "x.......x.......", "x......xx......."),
            SNARE: _BACKBEAT,
            CLOSED: ("x.x.x.x.x.x.x.x.", "xxxxxxxxxxxxxxxx"),
        },
        ("x.......x.......", "x.....x.x.......", "x..............."),
        (*_EIGHTHS, *_HELD, *_FOUR),
        chorders=_PIANO + _ELECTRIC_PIANO + _STRINGS + _NYLON + _STEEL,
        leaders=_STRINGS + _WINDS + _REEDS,
        drummed=0.6,
    ),
    "slow triplets": Groove(
        (52, 84),
        {KICK: ("x.....x.....", "x....xx....."), SNARE: ("...x.....x..",), CLOSED: ("xxxxxxxxxxxx",)},
        ("x.....x.....", "x..x..x..x..", "x....xx....x"),
        ("xxxxxxxxxxxx", "x.....x.....", "x..x..x..x.."),
        steps=3,
        drummed=0.7,
        at_any_tempo=False,
    ),
    "shuffle": Groove(
        (76, 138),
        {
            KICK: ("x.....x.....", "x....xx.....", "x..x..x..x.."),
            SNARE: ("...x.....x..",),
            RIDE: ("x.xx.xx.xx.x", "x..x..x..x.."),
        },
        ("x..x..x..x..", "x.xx.xx.xx.x"),
        ("x.xx.xx.xx.x", "...x.....x..", "x..........."),
        chorders=_ORGAN + _PIANO + _CLEAN + _DRIVEN,
        steps=3,
        at_any_tempo=False,
    ),
    "jig": Groove(
        (90, 132),
        {KICK: ("x..x..", "x....."), CLOSED: ("xxxxxx", "x.xx.x"), SNARE: ("......", "...x..")},
        ("x..x..", "x....."),
        ("x.xx.x", "x..x..", "xxxxxx", "..x..x"),
        chorders=_STEEL + _PIANO + (21, 23),
        leaders=(*_WINDS, 40, 21, 110),
        steps=3,
        drummed=0.3,
        at_any_tempo=False,
    ),
    "waltz": Groove(
        (84, 190),
        {KICK: ("x...........",), CLOSED: ("....x...x...", "x...x...x..."), SNARE: ("............", "....x...x...")},
        ("x...........",),
        ("....x...x...", "....x...x.x.", "x...x...x...", "x.x.x.x.x.x."),
        chorders=_PIANO + _STRINGS + _NYLON + (21, 23),
        leaders=_STRINGS + _WINDS + (21, 40),
        drummed=0.5,
    ),
    "country": Groove(
        (84, 140),
        {
            KICK: ("x.......x.......",),
            SNARE: ("....x.......x...", "xxxxXxxxxxxxXxxx", "x.xxx.xxx.xxx.xx"),
            CLOSED: (*_EIGHTHS, *_NONE),
        },
        ("x.......x.......", "x...x...x...x..."),
        ("....x.......x...", "....x.x.....x.x.", *_EIGHTHS),
        chorders=_STEEL + _CLEAN + _PIANO,
        leaders=(40, 22, 25, 105),
    ),
    "folk": Groove(
        (76, 144),
        {TAMBOURINE: (*_BACKBEAT, *_EIGHTHS), KICK: ("x.......x.......", *_FOUR)},
        ("x.......x.......", "x..............."),
        (*_EIGHTHS, "x.xxx.xxx.xxx.xx", "x...x.x.x...x.x.", "x..xx.x.x..xx.x.", "xxxxxxxxxxxxxxxx"),
        basses=_UPRIGHT,
        chorders=_STEEL + _NYLON + (105, 46),
        leaders=(*_WINDS, 40, 21),
        drummed=0.3,
    ),
    "bossa nova": Groove(
        (108, 160),
        {
            RIM: ("x..x..x...x..x..", "x..x...x..x..x.."),
            KICK: ("x..xx..xx..xx..x", "x.....x.x.....x.", "x..xx..x"),
            CLOSED: _EIGHTHS,
        },
        ("x..xx..xx..xx..x", "x.....x.x.....x.", "x..xx..x"),
        ("x..x..x...x..x..", "..x..x....x..x..", "x.x..x.x..x..x.."),
        basses=_UPRIGHT,
        chorders=_NYLON + _ELECTRIC_PIANO,
        leaders=_REEDS + _WINDS,
        kits=_SOFT_KITS,
    ),
    "latin": Groove(
        (84, 130),
        {
            SHAKER: ("x.xxx.xxx.xxx.xx", "xxxxxxxxxxxxxxxx"),
            RIM: ("x..x..x...x.x...", "..x.x...x..x..x.", *_NONE),
            KICK: ("x...x...x...x...", "x..xx..xx..xx..x", *_NONE),
            LOW_CONGA: ("..x...xx..x...xx", *_NONE),
            COWBELL: ("x...x...x...x...", *_NONE),
        },
        ("x..xx..xx..xx..x", "...x..x....x..x.", "x..x..x.x..x..x."),
        ("x..x..x.x..x..x.", "..x..x....x..x..", "x.x.xx.x.x.x.xx."),
        leaders=_HORNS + _WINDS,
    ),
    "funk": Groove(
        (88, 122),
        {
            KICK: ("x.x.......x.....", "x..x..x...x..x..", "x.........xx...."),
            SNARE: (*_BACKBEAT, "....x..x.x..x..x"),
            CLOSED: ("xxxxxxxxxxxxxxxx", *_EIGHTHS),
        },
        ("x..x..x...xx.x..", "x.....x.x..x..xx", "x.xx....x.xx...."),
        ("..x.xx.x..x.xx.x", "....x..x....x...", "xxxxxxxxxxxxxxxx", "x.............x."),
        chorders=_CLEAN + _ORGAN + (7,),
        leaders=_HORNS + _REEDS,
    ),
    "metal": Groove(
        (96, 180),
        {
            KICK: ("xxxxxxxxxxxxxxxx", "x.x.x.x.x.x.x.x.", "x..xx..xx..xx..x", "x.xxx.xxx.xxx.xx"),
            SNARE: _BACKBEAT,
            RIDE: (*_EIGHTHS, *_FOUR),
        },
        ("xxxxxxxxxxxxxxxx", *_EIGHTHS, "x..xx..xx..xx..x", "x.xxx.xxx.xxx.xx"),
        ("xxxxxxxxxxxxxxxx", *_EIGHTHS, "x..xx..xx..xx..x", "x.xxx.xxx.xxx.xx", *_HELD),
        chorders=_DRIVEN,
        leaders=_DRIVEN,
        kits=(_POWER, _ROOM),
        drummed=0.9,
    ),
    "fast": Groove(
        (150, 196),
        {
            KICK: ("x.......x.......", "x...x...x...x...", "x.x.....x.x....."),
            SNARE: _BACKBEAT,
            CLOSED: ("x...x...x...x...", *_EIGHTHS),
        },
        (*_EIGHTHS, *_FOUR),
        ("x...x...x...x...", "x...............", *_EIGHTHS),
        chorders=_DRIVEN + _CLEAN,
    ),
    "march": Groove(
        (96, 132),
        {KICK: ("x...x...x...x...", "x.......x......."), SNARE: ("....x.......x...", "x.xxx.xxx.x.x.x.")},
        ("x.......x.......",),
        ("....x.......x...", *_FOUR),
        basses=(58, 43),
        chorders=(*_HORNS, 60),
        leaders=_HORNS + _WINDS,
    ),
    "strings": Groove(
        (60, 140),
        {KICK: _NONE},
        (*_FOUR, "x.......x.......", *_EIGHTHS),
        (*_EIGHTHS, *_FOUR, "xxxxxxxxxxxxxxxx", "x.......x......."),
        basses=(42, 43, 0, 19),
        chorders=(*_STRINGS, 0, 6, 19, 46, 45),
        leaders=_STRINGS + _WINDS + (40, 0, 6, 68),
        drummed=0.0,
        at_any_tempo=False,
    ),
}
