"""Invented titles. They name nothing that exists."""

import numpy as np

_WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "techno": (("Concrete", "Phase", "Voltage", "Negative", "Cold", "Parallel", "Carrier", "Deep"),
               ("Circuit", "Transit", "Relay", "Corridor", "Pressure", "Signal", "Division", "Sector")),
    "house": (("Golden", "Late", "Velvet", "Summer", "Open", "Honest", "Upstairs", "Sunday"),
              ("Groove", "Affair", "Windows", "Love", "Terrace", "Feeling", "Hours", "People")),
    "ambient": (("Still", "Pale", "Distant", "Drifting", "Hidden", "Slow", "Weightless", "Northern"),
                ("Water", "Lantern", "Horizon", "Harbour", "Snow", "Orbit", "Moss", "Light")),
    "piano_waltz": (("Valse", "Little Waltz", "Evening Waltz", "Waltz", "Second Waltz", "Farewell Waltz"),
                    ("in the Garden", "for Anna", "of the Swallows", "by Candlelight", "in Autumn",
                    "of the Mill")),
    "string_chorale": (("Chorale", "Hymn", "Canticle", "Evening Hymn", "Motet", "Prayer"),
                       ("for the Morning", "of the Fields", "for Winter", "of the Pilgrims", "at Dusk",
                       "for Strings")),
    "hard_rock": (("Burning", "Iron", "Midnight", "Wild", "Broken", "Thunder", "Black", "Outlaw"),
                  ("Highway", "Machine", "Heart", "Fever", "Wheels", "Crown", "Stampede", "Avenue")),
    "reggae": (("Easy", "River", "Morning", "Hillside", "Ocean", "Righteous", "Sunny", "Roots"),
               ("Skank", "Road", "Breeze", "Dub", "Harvest", "Shore", "Market", "Rocking")),
    "chiptune": (("Turbo", "Pixel", "Level", "Boss", "Crystal", "Rocket", "Secret", "Hyper"),
                 ("Castle", "Dash", "Nine", "Caves", "Continue", "Garden", "Stage", "Bonus")),
    "folk_guitar": (("Willow", "Old", "Lantern", "Riverside", "Quiet", "Winter", "Farmer's", "Ferry"),
                    ("Bridge", "Letters", "Home", "Lane", "Sparrow", "Stones", "Field", "Mother")),
    "hip_hop": (("Corner", "Dusty", "Night", "Subway", "Loose", "Paper", "Cold", "Rooftop"),
                ("Change", "Tapes", "Bus", "Theory", "Store", "Dreams", "Coffee", "Pages")),
    "swing_jazz": (("Blues", "Stroll", "Midnight", "Lament", "One More", "Whisper", "Jump"),
                   ("for Irene", "on Seventh", "in Brown", "at the Corner", "for the Road", "and Rain")),
    "bossa_nova": (("Praia", "Tarde", "Saudade", "Barco", "Janela", "Noite", "Canção"),
                   ("de Verão", "em Agosto", "Azul", "da Ilha", "do Vento", "sem Pressa")),
}  # fmt: skip

_ALBUMS = (
    "First Light",
    "Rooms",
    "Outbound",
    "The Long Year",
    "Postcards",
    "Half Moon",
    "Returning",
    "Paper Maps",
)


def title_of(style: str, rng: np.random.Generator) -> str:
    """Draw a title that suits a style."""
    first, second = _WORDS[style]
    return f"{first[int(rng.integers(len(first)))]} {second[int(rng.integers(len(second)))]}"


def album_of(artist_number: int, album_number: int) -> tuple[str, int]:
    """Return name and year of an artist's album."""
    volume, shift = divmod(album_number, len(_ALBUMS))
    name = _ALBUMS[(3 * artist_number + shift) % len(_ALBUMS)]
    return name + (f" {volume + 1}" if volume else ""), 1994 + (7 * artist_number + 2 * album_number) % 30
