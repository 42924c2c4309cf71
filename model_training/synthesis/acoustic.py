"""Styles for few acoustic instruments: piano waltz, string chorale and folk guitar."""

from model_training.synthesis.score import Layer, Style

PIANO_WALTZ = Style(
    name="piano_waltz",
    genre="Classical",
    tempo_bpm=(96, 168),
    beats_per_bar=3,
    progressions={
        "major": ("I | I | V7 | V7 | V7 | V7 | I | I", "I | vi | ii | V7", "I | IV | V7 | I",
                  "I | iii | IV | V7"),
        "minor": ("i | iv | V7 | i", "i | bVI | iv | V7", "i | V7 | i | bVII | bIII | bVI | iv | V7"),
    },
    forms=("AABBAA", "iAABBAA", "AABBCC"),
    looseness_s=0.012,
    loudness_dbfs=-20.0,
    room_s=1.6,
    artists=("Ilse Hartwig", "Benoît Carrel", "Sofia Lindqvist"),
    layers=(
        Layer("bass", ("grand piano", "upright piano", "felt piano"), ("R---........", "R-----------"),
              gain=0.4, register=(36, 47), pan=-0.15),
        Layer("chords", ("grand piano", "upright piano", "felt piano"), ("....o---o---", "....x-..o-..",
              "....o-0-o-1-"), gain=0.17,
              register=(53, 67), n_voices=3, pan=-0.05),
        Layer("melody", ("grand piano", "upright piano", "felt piano"),
              ("x-------x---", "x---x---x---", "x-x-x-x-x-x-", "x-----x-x---", "x-----------",
              "..x-x-x-x-x-"),
              gain=0.42, register=(67, 88), pan=0.12, send=0.25),
    ),
)  # fmt: skip

STRING_CHORALE = Style(
    name="string_chorale",
    genre="Chorale",
    tempo_bpm=(60, 88),
    progressions={
        "major": ("I V | vi iii | IV I | IV V", "I IV | V I | vi ii | V I", "I vi | IV ii | V7 vi | IV V"),
        "minor": ("i V | i iv | bVI bIII | iv V", "i bVII | bVI V | i iv | V i",
                  "i iv | bVII bIII | bVI iv | V i"),
    },
    forms=("AABB", "AABBCC", "AABA"),
    looseness_s=0.018,
    loudness_dbfs=-20.0,
    room_s=2.4,
    artists=("Camerata Winterberg", "The Alder Consort", "Quartetto Serafin"),
    layers=(
        Layer("voices", ("string ensemble", "dark strings", "string quartet"), ("x---", "x-------",
              "x-----x-"), gain=0.2,
              send=0.45, width=0.01),
        Layer("bass", ("dark strings",), ("r-------r-------",), gain=0.14, register=(29, 40), send=0.35,
              sections="BC", chance=0.6),
    ),
)  # fmt: skip

FOLK_GUITAR = Style(
    name="folk_guitar",
    genre="Folk",
    tempo_bpm=(88, 128),
    progressions={
        "major": ("I | V | vi | IV", "I | IV | I | V", "I | I | IV | V", "vi | IV | I | V"),
        "minor": ("i | bVII | bVI | bVII", "i | bIII | bVII | i", "i | iv | bVII | i"),
        "mixolydian": ("I | bVII | IV | I",),
        "dorian": ("i | IV | i | bVII",),
    },
    forms=("iAABB", "AABBAA", "iAABBA"),
    looseness_s=0.009,
    loudness_dbfs=-19.0,
    room_s=0.7,
    artists=("Wren Calloway", "Hollow Creek", "Tomas Eilertsen"),
    layers=(
        (
            Layer("chords", ("steel guitar", "nylon guitar", "twelve-string guitar"),
                  ("r---2-1-f-3-2-1-", "R---1-2-f-2-3-2-", "r-2-f-1-r-3-f-2-"), gain=0.4, register=(55,
                  69), pan=-0.1),
            Layer("chords", ("steel guitar", "twelve-string guitar"), ("D---o-u-.-u-D-u-",
                  "D-----d-u-.-u-d-", "D---D-u-.-u-D-u-"),
                  gain=0.26, register=(50, 67), n_voices=5, pan=-0.1),
        ),
        Layer("melody", ("nylon guitar", "steel guitar", "whistle", "flute"), ("x---x-x-x---x---",
              "x-x-x---x-x-x---", "x-----x-x-x-x---"),
              gain=0.3, register=(67, 84), sections="BC", pan=0.3, send=0.3),
        Layer("chords", ("steel guitar",), ("3-2-1-2-3-2-1-2-", "..3-..2-..1-..2-"), gain=0.16,
              register=(62, 76), sections="BC", pan=0.5, chance=0.5),
        Layer("bass", ("upright bass",), ("r-------f-------", "r-------f---n---"), gain=0.34, register=(31,
              43), chance=0.45, sections="ABC"),
        Layer("drum", ("tambourine", "soft shaker"), ("....o.......o...", "o.x.o.x.o.x.o.x."), gain=0.09,
              pan=0.4, sections="BC", chance=0.4),
    ),
)  # fmt: skip
