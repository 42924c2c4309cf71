"""Read and write the genres (and moods, tempo and key) of one music file, without ever harming it."""

from musrecd.tagging.files.copies import sweep
from musrecd.tagging.files.model import Change, FileTags, Rules, Written
from musrecd.tagging.files.writer import read, write

__all__ = ["Change", "FileTags", "Rules", "Written", "read", "sweep", "write"]
