"""What our labels are called in data sets that tag sparsely: there a word says yes, and its absence says nothing.

Data sets whose words are exhaustive (a clip without the word is not of that kind) are in `model_training/labels.py`.
"""

import re
from collections.abc import Iterable
from functools import cache

# A label of ours that holds wherever another one does.
_IMPLIED = {
    "Acoustic Guitar": "Guitar",
    "Choir": "Vocals",
    "Cumbia": "Latin",
    "Electric Guitar": "Guitar",
    "Female Vocals": "Vocals",
    "House": "Electronic",
    "Male Vocals": "Vocals",
    "Techno": "Electronic",
    "Trance": "Electronic",
    "Trip Hop": "Electronic",
    "Zouk": "Latin",
}

_FMA_GENRES = {
    "Ambient": "Ambient|Ambient Electronic",
    "Blues": "Blues",
    "Chillout": "Chill-out",
    "Classical": "Classical",
    "Country": "Country",
    "Cumbia": "Cumbia",
    "Dance": "Dance",
    "Disco": "Disco",
    "Easy Listening": "Easy Listening",
    "Electronic": "Electronic",
    "Experimental": "Experimental",
    "Folk": "Folk",
    "Funk": "Funk",
    "Hip Hop": "Hip-Hop|Rap",
    "House": "House",
    "Indie": "Indie-Rock",
    "Jazz": "Jazz",
    "Latin": "Latin|Latin America|Salsa",
    "Metal": "Metal|Black-Metal|Death-Metal",
    "New Age": "New Age",
    "Pop": "Pop",
    "Punk": "Punk",
    "R&B": "Soul-RnB",
    "Reggae": "Reggae - Dub|Reggae - Dancehall",
    "Rock": "Rock",
    "Soundtrack": "Soundtrack",
    "Techno": "Techno",
    "Trip Hop": "Trip-Hop",
    "World": "International",
}
_FMA_VOICES = {"Choir": "Choral Music", "Instrumental": "Instrumental"}

_MTAT_GENRES = {
    "Ambient": "ambient",
    "Blues": "blues",
    "Classical": "classical|clasical|classic|baroque",
    "Country": "country",
    "Dance": "dance",
    "Disco": "disco",
    "Electronic": "electronic|electronica|electro",
    "Folk": "folk",
    "Funk": "funk|funky",
    "Hip Hop": "hip hop|rap",
    "House": "house",
    "Jazz": "jazz|jazzy",
    "Metal": "metal|heavy metal",
    "New Age": "new age",
    "Pop": "pop",
    "Punk": "punk",
    "Reggae": "reggae",
    "Rock": "rock|hard rock|soft rock",
    "Techno": "techno",
    "Trance": "trance",
    "World": "world",
}
_MTAT_INSTRUMENTS = {
    "Acoustic Guitar": "acoustic guitar",
    "Bass": "bass",
    "Cello": "cello",
    "Drums": "drum|drums",
    "Electric Guitar": "electric guitar",
    "Flute": "flute|flutes",
    "Guitar": "guitar|guitars|classical guitar",
    "Harp": "harp",
    "Harpsichord": "harpsichord|harpsicord",
    "Keyboard": "keyboard",
    "Piano": "piano|piano solo",
    "Sitar": "sitar",
    "Strings": "string|strings",
    "Synthesizer": "synth|synthesizer",
    "Violin": "violin|violins|fiddle",
}
_MTAT_VOICES = {
    "Choir": "choir|choral",
    "Female Vocals": "female|female opera|female singer|female singing|female vocal|female vocals|female voice|girl"
    "|soprano|woman|woman singing|women",
    "Instrumental": "instrumental|no singer|no singing|no vocal|no vocals|no voice|no voices",
    "Male Vocals": "male|male opera|male singer|male vocal|male vocals|male voice|man|man singing|men",
    "Vocals": "singer|singing|vocal|vocals|voice|voices",
}
_MTAT_MOODS = {"Calm": "calm", "Happy": "happy", "Relaxing": "mellow", "Sad": "sad"}

_JAMENDO_GENRES = {
    "Alternative": "alternative|alternativerock",
    "Ambient": "ambient|darkambient",
    "Blues": "blues|bluesrock",
    "Chillout": "chillout",
    "Classical": "classical",
    "Country": "country",
    "Dance": "dance",
    "Disco": "disco",
    "Easy Listening": "easylistening",
    "Electronic": "electronic|electronica|edm|drumnbass|dubstep|idm",
    "Experimental": "experimental",
    "Folk": "folk",
    "Funk": "funk",
    "Hip Hop": "hiphop|rap",
    "House": "house|deephouse",
    "Indie": "indie",
    "Jazz": "jazz|acidjazz",
    "Latin": "latin|bossanova",
    "Metal": "metal|heavymetal",
    "New Age": "newage",
    "Pop": "pop",
    "Punk": "punkrock",
    "R&B": "rnb",
    "Reggae": "reggae",
    "Rock": "rock|classicrock|hardrock",
    "Soul": "soul",
    "Soundtrack": "soundtrack",
    "Techno": "techno",
    "Trance": "trance",
    "Trip Hop": "triphop",
    "World": "world",
}
_JAMENDO_INSTRUMENTS = {
    "Acoustic Guitar": "acousticguitar",
    "Bass": "bass|acousticbassguitar|doublebass",
    "Cello": "cello",
    "Drum Machine": "drummachine",
    "Drums": "drums",
    "Electric Guitar": "electricguitar",
    "Electric Piano": "electricpiano|rhodes",
    "Flute": "flute",
    "Guitar": "guitar|classicalguitar",
    "Harp": "harp",
    "Keyboard": "keyboard",
    "Piano": "piano",
    "Strings": "strings",
    "Synthesizer": "synthesizer",
    "Violin": "violin",
}
_JAMENDO_VOICES = {"Vocals": "voice"}
_JAMENDO_MOODS = {
    "Calm": "calm",
    "Emotional": "emotional",
    "Energetic": "energetic",
    "Happy": "happy",
    "Party": "party",
    "Relaxing": "relaxing",
    "Sad": "sad",
}

# People's own names of genres, as `_fold` leaves them; the label's own name needs no entry.
_FREE_GENRES = {
    "Alternative": "alternative rock|alt rock",
    "Ambient": "dark ambient",
    "Chillout": "chill out|chill",
    "Classical": "classical music|klassik",
    "Country": "country and western|country music",
    "Dance": "dance music",
    "Easy Listening": "easylistening",
    "Electronic": "electronica|electronic music|electro|edm|electronic dance music|drum and bass|drum n bass|dnb"
    "|dubstep|idm",
    "Experimental": "avant garde",
    "Folk": "folk music",
    "Hip Hop": "hiphop|hip hop rap|rap|rap hip hop|rap and hip hop",
    "House": "deep house|house music|tech house",
    "Indie": "indie pop|indie rock",
    "Jazz": "bebop|be bop|hard bop|jazz music",
    "Latin": "bachata|bossa nova|latin music|latino|merengue|salsa",
    "Metal": "black metal|death metal|doom metal|heavy metal|power metal|thrash metal",
    "New Age": "newage",
    "Pop": "pop music",
    "Punk": "punk rock|hardcore punk",
    "R&B": "rnb|r n b|r and b soul|contemporary r and b|rhythm and blues|rhythm n blues",
    "Reggae": "roots reggae",
    "Rock": "classic rock|hard rock|progressive rock|rock and roll|rock n roll|rock music",
    "Soul": "neo soul|soul music",
    "Soundtrack": "film score|original soundtrack|ost|score|soundtracks",
    "Traditional Pop": "vocal pop",
    "Trance": "psytrance",
    "Trip Hop": "triphop",
    "World": "international|world music",
    "Zouk": "zouk love",
}
# These have no other names.
_FREE_NAMES = ("Blues", "Cumbia", "Disco", "Funk", "Techno")

_FREE_FAMILIES = frozenset({"folders", "beets"})


def _meanings(kind: str, names: dict[str, str], prefix: str = "") -> dict[str, tuple[str, str]]:
    return {prefix + word: (kind, label) for label, text in names.items() for word in text.split("|")}


def _free_meanings() -> dict[str, tuple[str, str]]:
    labels = [*_FREE_GENRES, *_FREE_NAMES]
    return _meanings("genre", _FREE_GENRES) | {_fold(label): ("genre", label) for label in labels}


@cache
def _fold(word: str) -> str:
    """Make "Hip-Hop" and "hip hop", "R&B" and "R & B" the same: letters and digits, lower case, single blanks."""
    spelled_out = word.casefold().replace("&", " and ").replace("'", " ").replace("’", " ")
    return " ".join(re.sub(r"[\W_]+", " ", spelled_out).split())


# Family of sources → word → kind and name of the label that it means.
MEANINGS: dict[str, dict[str, tuple[str, str]]] = {
    "fma": _meanings("genre", _FMA_GENRES) | _meanings("voice", _FMA_VOICES),
    "mtat": _meanings("genre", _MTAT_GENRES)
    | _meanings("instrument", _MTAT_INSTRUMENTS)
    | _meanings("voice", _MTAT_VOICES)
    | _meanings("mood", _MTAT_MOODS),
    "jamendo": _meanings("genre", _JAMENDO_GENRES, "genre---")
    | _meanings("instrument", _JAMENDO_INSTRUMENTS, "instrument---")
    | _meanings("voice", _JAMENDO_VOICES, "instrument---")
    | _meanings("mood", _JAMENDO_MOODS, "mood/theme---"),
} | dict.fromkeys(sorted(_FREE_FAMILIES), _free_meanings())


def labels_meant(family: str, words: Iterable[str], kind: str = "") -> list[str]:
    """Names of our labels that the words of a family mean, in the order of the words; of one kind, or all."""
    meanings = MEANINGS.get(family, {})
    found = [meanings.get(_fold(word) if family in _FREE_FAMILIES else word) for word in words]
    return [label for meaning in found if meaning for found_kind, label in (meaning,) if kind in ("", found_kind)]


def implied(labels: Iterable[str]) -> set[str]:
    """Return the labels and those that hold wherever these do."""
    given = set(labels)
    return given | {_IMPLIED[label] for label in given if label in _IMPLIED}
