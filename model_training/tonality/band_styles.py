"""The bands that `bands.py` writes for: what each player of a style plays in a bar, and on which instruments.

A pattern is a bar of sixteenths, or of triplets where three steps are a beat.
"""

from dataclasses import dataclass

KICK, RIM, SNARE, CLAP, HAT, PEDAL, OPEN, RIDE, SHAKER = 36, 37, 38, 39, 42, 44, 46, 51, 70
HIGH_CONGA, LOW_CONGA = 63, 64
_EIGHTHS, _SIXTEENTHS, _QUARTERS = "x.x.x.x.x.x.x.x.", "xxxxxxxxxxxxxxxx", "x...x...x...x..."
_BACKBEAT, _ONE_THREE, _HELD, _OFFBEATS = "....x.......x...", "x.......x.......", "x...............", "..x...x...x...x."
_PIANOS, _ORGANS, _GUITARS, _PADS = (0, 1, 4, 5), (16, 17, 18), (24, 25, 26, 27), (48, 50, 88, 89, 90)
_ELECTRIC, _UPRIGHT, _SYNTHETIC = (33, 34, 36), (32, 32, 43), (38, 39, 87)
_DRIVEN, _SYNTHS, _WINDS, _BRASS = (29, 30), (80, 81, 62, 90), (71, 73, 75, 68), (56, 57, 61, 65, 66)


@dataclass(frozen=True, slots=True)
class Band:
    """A style: usual tempi in BPM, what drums, bass and chords play, and on which General MIDI programs.

    Of bass patterns r is the root, f the fifth, o the octave, w a walking bass. `steps` of the patterns are a beat.
    `late` is how far swung offbeats come late, in beats. Of `broken` chords one tone after the other is played.
    """

    bpm: tuple[int, int]
    drums: dict[int, tuple[str, ...]]
    bass: tuple[str, ...]
    chords: tuple[str, ...]
    basses: tuple[int, ...] = _ELECTRIC
    chorders: tuple[int, ...] = _PIANOS + _GUITARS
    leads: tuple[int, ...] = _WINDS + _BRASS + _SYNTHS
    late: float = 0.0
    steps: int = 4
    broken: bool = False

    @property
    def bar(self) -> int:
        """Steps in a bar."""
        return len(self.bass[0])


_ROCK_KICKS = (_ONE_THREE, "x.....x.x.......", "x.......x.x.....", "x.x.....x.......")
BANDS = {
    "rock": Band(
        (96, 168),
        {KICK: _ROCK_KICKS, SNARE: (_BACKBEAT,), HAT: (_EIGHTHS, _QUARTERS)},
        ("r.r.r.r.r.r.r.r.", "r.......r......."),
        (_EIGHTHS, _HELD, _QUARTERS),
        chorders=_DRIVEN + _GUITARS,
    ),
    "pop": Band(
        (84, 132),
        {KICK: _ROCK_KICKS, SNARE: (_BACKBEAT,), HAT: (_EIGHTHS,)},
        ("r.......r.......", "r.......f.......", "r.....r.r......."),
        (_HELD, _ONE_THREE, _QUARTERS, "x.....x.....x..."),
        chorders=_PIANOS + _PADS,
    ),
    "ballad": Band(
        (58, 88),
        {KICK: (_ONE_THREE, "x.........x....."), SNARE: (_BACKBEAT,), HAT: (_EIGHTHS,)},
        ("r...............", "r.......r......."),
        (_EIGHTHS, _SIXTEENTHS),
        broken=True,
    ),
    "house": Band(
        (116, 132),
        {KICK: (_QUARTERS,), CLAP: (_BACKBEAT,), OPEN: (_OFFBEATS,)},
        ("..r...r...r...r.", "r.r.r.r.r.r.r.r."),
        (_OFFBEATS, "x..x..x...x..x..", _HELD),
        basses=_SYNTHETIC,
        chorders=_PIANOS + _PADS + _SYNTHS,
        leads=_SYNTHS,
    ),
    "disco": Band(
        (106, 130),
        {KICK: (_QUARTERS,), SNARE: (_BACKBEAT,), OPEN: (_OFFBEATS,), HAT: (_EIGHTHS,)},
        ("r.o.r.o.r.o.r.o.",),
        (_OFFBEATS, "x.xx..x.x.xx..x."),
        chorders=(27, 28, 48, 4),
        leads=(48, *_BRASS),
    ),
    "techno": Band(
        (124, 146),
        {KICK: (_QUARTERS,), CLAP: (_BACKBEAT,), HAT: (_SIXTEENTHS, _OFFBEATS)},
        (".rrr.rrr.rrr.rrr", "..r...r...r...r."),
        (_HELD, "x..x..x..x..x..."),
        basses=_SYNTHETIC,
        chorders=_SYNTHS + _PADS,
        leads=_SYNTHS,
    ),
    "drum and bass": Band(
        (162, 178),
        {KICK: ("x.........x.....",), SNARE: (_BACKBEAT,), HAT: (_EIGHTHS, _SIXTEENTHS)},
        ("r...............", "r.........r....."),
        (_HELD,),
        basses=_SYNTHETIC,
        chorders=_PADS,
        leads=_SYNTHS,
    ),
    "hip hop": Band(
        (76, 104),
        {KICK: ("x......x..x.....", "x.........x....."), SNARE: (_BACKBEAT,), HAT: (_EIGHTHS,)},
        ("r.......f.......", "r......r..r....."),
        (_HELD, "x.....x........."),
        basses=_SYNTHETIC + _ELECTRIC,
    ),
    "slow swing": Band(
        (68, 96),
        {KICK: ("x.....x...x.....",), SNARE: (_BACKBEAT,), HAT: (_EIGHTHS,)},
        ("r...............", "r.......r......."),
        (_HELD, _ONE_THREE),
        chorders=_PIANOS,
        late=0.1,
    ),
    "funk": Band(
        (92, 120),
        {KICK: ("x..x......x.....", "x.x.......x..x.."), SNARE: (_BACKBEAT,), HAT: (_SIXTEENTHS, _EIGHTHS)},
        ("r..r..r...r..r..", "r.....r.r..r...."),
        ("..x.xx....x.xx..", "x.xx..x.x..x.xx."),
        chorders=(27, 28, 7, 16),
    ),
    "reggae": Band(
        (64, 92),
        {KICK: ("........x.......",), RIM: ("........x.......",), HAT: (_EIGHTHS,)},
        ("r..r..r...r..r..", "r.....r.r......."),
        (_OFFBEATS, _BACKBEAT),
        chorders=(*_ORGANS, 27, 0),
    ),
    "swing": Band(
        (108, 208),
        {RIDE: ("x...x.x.x...x.x.",), PEDAL: (_BACKBEAT,)},
        ("w...w...w...w...",),
        ("x.....x.........", "......x.......x.", _QUARTERS),
        basses=_UPRIGHT,
        chorders=(0, 26),
        leads=_BRASS,
        late=0.16,
    ),
    "shuffle": Band(
        (86, 138),
        {KICK: (_ONE_THREE,), SNARE: (_BACKBEAT,), HAT: (_EIGHTHS,), RIDE: (_EIGHTHS,)},
        ("w...w...w...w...", "r.r.r.r.r.r.r.r."),
        (_OFFBEATS, "x.....x.........", _EIGHTHS),
        chorders=_ORGANS + _PIANOS + _DRIVEN,
        late=0.16,
    ),
    "waltz": Band(
        (82, 180),
        {KICK: ("x...........",), HAT: ("....x...x...",), SNARE: ("....x...x...", "............")},
        ("r...........",),
        ("....x...x...", "x.x.x.x.x.x."),
        basses=_UPRIGHT,
        chorders=(0, 21, 24, 48),
        leads=(40, 73, 71),
    ),
    "bossa nova": Band(
        (108, 152),
        {KICK: ("x.....x.x.....x.",), RIM: ("x..x..x...x..x..", "x.....x.....x..."), HAT: (_EIGHTHS,)},
        ("r.....f.f.....r.",),
        ("x...x.....x...x.", "..x...x.x...x..."),
        basses=_UPRIGHT,
        chorders=(24, 4, 0),
        leads=_WINDS,
    ),
    "country": Band(
        (88, 148),
        {KICK: (_ONE_THREE,), SNARE: (_BACKBEAT,), HAT: (_EIGHTHS,)},
        ("r.......f.......",),
        (_BACKBEAT, "....x.x.....x.x."),
        basses=_UPRIGHT,
        chorders=(24, 25),
        leads=(40, 105, 22),
    ),
    "march": Band(
        (96, 132),
        {KICK: (_ONE_THREE,), SNARE: (_BACKBEAT, "x.xxx.xxx.xxx.xx")},
        ("r.......f.......",),
        (_BACKBEAT,),
        basses=(58,),
        chorders=(60, 61),
        leads=(72, 56),
    ),
    "metal": Band(
        (108, 184),
        {KICK: (_EIGHTHS, _SIXTEENTHS), SNARE: (_BACKBEAT,), RIDE: (_QUARTERS,)},
        ("r.r.r.r.r.r.r.r.", "rrrrrrrrrrrrrrrr"),
        (_EIGHTHS, _SIXTEENTHS),
        chorders=_DRIVEN,
        leads=_DRIVEN,
    ),
    "latin": Band(
        (86, 128),
        {
            KICK: ("x.....x.x.....x.",),
            SHAKER: (_SIXTEENTHS,),
            HIGH_CONGA: ("....x...........",),
            LOW_CONGA: ("......x.....x.x.",),
        },
        ("......f.....r...", "r.....f.f.....r."),
        ("x.x...x...x.x.x.", "..x...x...x...x."),
        chorders=(0, 24),
        leads=_BRASS,
    ),
    "classical": Band(
        (64, 144),
        {},
        ("r...............", "r.......r......."),
        (_EIGHTHS,),
        basses=(42, 0),
        chorders=(0, 6, 46, 48),
        leads=(40, 73, 68, 0),
        broken=True,
    ),
    "chorale": Band(
        (66, 120),
        {},
        ("r...r...r...r...", "r.......r......."),
        (_QUARTERS, _ONE_THREE),
        basses=(19, 42, 43),
        chorders=(19, 48, 52),
        leads=(68, 40, 73),
    ),
    "arpeggio": Band(
        (66, 132),
        {},
        ("r...............",),
        (_EIGHTHS, _SIXTEENTHS),
        basses=(89, 38, 32),
        chorders=(11, 46, 0, 24, 88),
        broken=True,
    ),
    "jig": Band(
        (92, 136),
        {KICK: ("x..x..",), HAT: ("xxxxxx",)},
        ("r..r..",),
        ("x.xx.x", "..x..x"),
        chorders=(25, 21, 0),
        leads=(73, 40, 110),
        basses=_UPRIGHT,
        steps=3,
    ),
    "slow rock": Band(
        (54, 82),
        {KICK: ("x.....x.....",), SNARE: ("...x.....x..",), HAT: ("xxxxxxxxxxxx",)},
        ("r...........", "r.....r....."),
        ("xxxxxxxxxxxx",),
        steps=3,
        broken=True,
    ),
}
