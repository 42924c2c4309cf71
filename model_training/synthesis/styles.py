"""The list of styles, by name."""

from model_training.synthesis import acoustic, bands, electronic
from model_training.synthesis.score import Style
from musrecd.errors import MusrecError

STYLES: dict[str, Style] = {
    style.name: style
    for style in (
        electronic.TECHNO,
        acoustic.PIANO_WALTZ,
        bands.HARD_ROCK,
        electronic.AMBIENT,
        bands.SWING_JAZZ,
        electronic.HOUSE,
        acoustic.STRING_CHORALE,
        bands.REGGAE,
        electronic.CHIPTUNE,
        acoustic.FOLK_GUITAR,
        electronic.HIP_HOP,
        bands.BOSSA_NOVA,
    )
}


def style_named(name: str) -> Style:
    """Return a style, or say which there are."""
    try:
        return STYLES[name]
    except KeyError:
        raise MusrecError(f"no style named {name!r}; there are: {', '.join(STYLES)}") from None
