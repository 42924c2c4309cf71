"""The errors musrec raises on purpose: one root, one line each, fit to be shown to a person."""


class MusrecError(Exception):
    """Root of all errors below; its text is one line that says what is wrong and what to do."""


class ConfigError(MusrecError):
    """A configuration key is unknown or its value cannot be used."""


class AudioError(MusrecError):
    """One file cannot be analysed. `reason` is a stable word for counting failures alike."""

    reason = "audio"


class UnreadableFileError(AudioError):
    """The operating system does not let us read the path, or it is not a regular file."""

    reason = "unreadable"


class NotAudioError(AudioError):
    """No audio stream that any of our decoders knows."""

    reason = "not audio"


class NoSoundError(AudioError):
    """There is an audio stream, but not one packet of it could be decoded."""

    reason = "no sound"


class WorkerError(AudioError):
    """The process that analysed the file crashed or took too long, and was replaced."""

    reason = "worker"


class EncoderError(MusrecError):
    """Encoder weights that are missing, damaged or of another architecture."""


class LearningError(MusrecError):
    """A person's genres cannot be learnt from what there is, or what was learnt of them cannot be used."""


class PlaylistError(MusrecError):
    """A playlist cannot be made, read or written, or cannot be handed to a player."""


class LibraryError(MusrecError):
    """The library file cannot be opened or used, is of a newer version, or was given what it cannot hold."""


class LibraryUnavailableError(LibraryError):
    """The library cannot be used now, which may pass: it is in use, its disk is full or cannot be written."""


class LibraryDamagedError(LibraryError):
    """The library file is damaged, is no database, or is not the file any more that was opened."""


class ClusterError(MusrecError):
    """The machines that were to hear for this one cannot be reached, or none of them can hear."""


class ExchangeError(MusrecError):
    """A file is none that `musrecd export` wrote, or cannot be read or written."""


class TagError(MusrecError):
    """A file's tags cannot be read or written; the file is as it was.

    `reason` is a stable word for counting failures alike; `may_pass` says that trying again later may go well.
    """

    def __init__(self, text: str, reason: str = "tags", *, may_pass: bool = False) -> None:
        super().__init__(text)
        self.reason = reason
        self.may_pass = may_pass
