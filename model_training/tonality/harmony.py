"""Chord progressions by kind of music, as `theory.parse_progression` reads them: what a key sounds like."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Idiom:
    """A way to stay in a key: `scale` (semitones over the tonic) is what melodies are made of."""

    name: str
    is_minor: bool
    scale: tuple[int, ...]
    progressions: tuple[str, ...]
    swings: bool = False
    power: bool = False


_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MAJOR_PENTATONIC = (0, 2, 4, 7, 9)
_MINOR = (0, 2, 3, 5, 7, 8, 10)
_MINOR_PENTATONIC = (0, 3, 5, 7, 10)
_BLUES = (0, 3, 4, 5, 6, 7, 10)

IDIOMS = (
    Idiom(
        "pop",
        False,
        _MAJOR,
        (
            "I | V | vi | IV",
            "I | V | IV | V",
            "I | vi | IV | V",
            "IV | I | V | vi",
            "I | IV | vi | V",
            "I | iii | IV | V",
            "I | V | IV | IV",
            "I | IV",
            "I V | vi IV",
            "I | I | IV | V",
            "I | ii | IV | I",
            "I | vi | ii | V",
            "I | III7 | vi | IV",
            "I | IV | iv6 | I",
            "IV | V | iii | vi",
            "I | V | ii | IV",
            "Iadd9 | Vsus4 | vi7 | IVadd9",
            "IVmaj7 | Imaj7",
            "I | Isus4",
            "ii7 | IV | I | V",
        ),
    ),
    Idiom(
        "rock",
        False,
        _MAJOR_PENTATONIC,
        (
            "I | bVII | IV | I",
            "I5 | IV5 | V5 | IV5",
            "I5 | bVII5 | IV5 | IV5",
            "I | IV | I | V",
            "I5 | I5 | IV5 | I5",
            "I | V | bVII | IV",
            "I | bIII | IV | I",
            "I5 bIII5 | IV5 I5",
            "I | bVI | bVII | I",
            "I7 | I7 | IV7 | I7",
            "V5 | IV5 | I5 | I5",
        ),
        power=True,
    ),
    Idiom(
        "country",
        False,
        _MAJOR_PENTATONIC,
        (
            "I | I | IV | I | I | I | V | V | I | I | IV | IV | I | V | I | I",
            "I | IV | V | I",
            "I | V | V | I",
            "I | I7 | IV | IV | I | V | I | V",
            "I | II7 | V7 | I",
            "I | vi | ii | V7",
            "I | IV | I | V7",
        ),
    ),
    Idiom(
        "blues",
        False,
        _BLUES,
        (
            "I7 | I7 | I7 | I7 | IV7 | IV7 | I7 | I7 | V7 | IV7 | I7 | V7",
            "I7 | IV7 | I7 | I7 | IV7 | IV7 | I7 | I7 | V7 | IV7 | I7 | I7",
            "I7",
            "I7 | IV7",
            "I7 | I7 | IV7 | I7 V7",
            "I6 | I7 | IV7 | IV7 | I7 | V7 | I7 | V7",
        ),
        swings=True,
    ),
    Idiom(
        "jazz",
        False,
        _MAJOR,
        (
            "ii7 | V7 | Imaj7 | vi7",
            "Imaj7 vi7 | ii7 V7",
            "iii7 VI7 | ii7 V7",
            "Imaj7 | IV7 | iii7 VI7 | ii7 V7",
            "ii9 | V13 | Imaj9 | I6",
            "I6 | II7 | ii7 V7 | I6",
            "Imaj7 | ii7 | iii7 | ii7",
            "Imaj7 | iv6 | Imaj7 | V7b9",
        ),
        swings=True,
    ),
    Idiom(
        "reggae",
        False,
        _MAJOR,
        (
            "I | IV",
            "I | ii",
            "I | V | IV | I",
            "I | IV | V | IV",
            "I | I | ii | ii",
            "I | V | vi | IV",
            "I | iii | ii | V",
        ),
    ),
    Idiom(
        "classical",
        False,
        _MAJOR,
        (
            "I | V7 | I | V7 | I | IV | V7 | I",
            "I | ii6 V7 | I | vi ii | V | I",
            "I IV | I V7 | I | V7 I",
            "I | II7 V | I | V7 I",
            "I VI7 | ii V7 | I IV | V7 I",
            "I | vi | IV | ii | V | V7 | I | I",
            "I | I7 | IV | vii7b5 V7 | I | V7",
        ),
    ),
    Idiom(
        "minor pop",
        True,
        _MINOR,
        (
            "i | bVI | bIII | bVII",
            "i | bVII | bVI | bVII",
            "i | iv | v | i",
            "i | bVI | bVII | i",
            "i | iv | bVII | bIII",
            "i | v | bVI | iv",
            "i | bVII | bVI | V",
            "i | bIII | bVII | iv",
            "i | i | bVI | bVII",
            "bVI | bVII | i | i",
            "i7 | iv7",
            "i | bVI",
            "i | iv | bVI | V7",
            "i | bVII | iv | iv",
            "iv | bVI | i | bVII",
            "i | bIII | bVI | bVII",
        ),
    ),
    Idiom(
        "dance",
        True,
        _MINOR,
        (
            "i",
            "i7",
            "i | i | i | bVI",
            "i | i | bVII | bVII",
            "i | bVII",
            "i5",
            "i7 | IV7",
            "i9 | iv9",
            "i | i | iv | i",
            "bVI | bVII | i | i",
        ),
    ),
    Idiom(
        "funk",
        True,
        _MINOR_PENTATONIC,
        ("i7", "i7 | IV7", "i9 | i9 | iv9 | i9", "i7 | i7 | bIII | IV", "i7 | bVII", "i7 | v7", "i7 | ii7b5 V7"),
    ),
    Idiom(
        "metal",
        True,
        _MINOR,
        (
            "i5 | bVI5 | bVII5 | i5",
            "i5 | i5 | bII5 | i5",
            "i5 | bIII5 | bVII5 | IV5",
            "i5 | i5 bVII5 | i5 | bVI5 bVII5",
            "i5 | bII5",
            "i5",
            "i5 | bVI5 | iv5 | v5",
            "i5 bIII5 | IV5 bVI5",
            "i5 | v5 | bVI5 | bIII5",
        ),
        power=True,
    ),
    Idiom(
        "minor blues",
        True,
        (0, 3, 5, 6, 7, 10),
        (
            "i7 | i7 | i7 | i7 | iv7 | iv7 | i7 | i7 | bVI7 | V7 | i7 | V7",
            "i7 | iv7 | i7 | V7",
            "i7 | IV7 | i7 | IV7",
            "i | i | iv | V7",
        ),
        swings=True,
    ),
    Idiom(
        "minor jazz",
        True,
        (0, 2, 3, 5, 7, 9, 10),
        (
            "ii7b5 | V7b9 | i6 | i6",
            "i7 | iv7 | ii7b5 V7b9 | i7",
            "i6 | bVI7 V7b9 | i6 | i6",
            "iv7 | bVII7 | bIII | ii7b5 V7b9",
            "i9 | ii7b5 V7 | i9 | V7b9",
        ),
        swings=True,
    ),
    Idiom(
        "minor classical",
        True,
        (0, 2, 3, 5, 7, 8, 11),
        (
            "i | V7 | i | iv | V7 | i",
            "i iv | V i | bVI iv | V7 i",
            "i | ii7b5 V7 | i | V7 i",
            "i | bVI | iv | V7",
            "i V7 | i | iv i | V7 i",
            "i bVII | bIII | iv | V7 i",
            "i | viio7 | i | V7",
            "i | iv bVII | bIII bVI | ii7b5 V7 | i",
        ),
    ),
    Idiom(
        "minor reggae",
        True,
        _MINOR,
        ("i | iv", "i | bVII", "i | v", "i | iv | bVII | i", "i | bVI", "i | i | iv | iv", "i | bIII | bVII | iv"),
    ),
)
