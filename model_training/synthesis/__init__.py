"""Music composed by rule and synthesised in code, of exactly known tempo, key, style and instruments."""

from model_training.synthesis.compose import compose
from model_training.synthesis.encode import write_audio
from model_training.synthesis.library import WrittenPiece, write_library
from model_training.synthesis.render import render, render_piece
from model_training.synthesis.score import Note, Part, Piece, Style
from model_training.synthesis.styles import STYLES

__all__ = [
    "STYLES",
    "Note",
    "Part",
    "Piece",
    "Style",
    "WrittenPiece",
    "compose",
    "render",
    "render_piece",
    "write_audio",
    "write_library",
]
