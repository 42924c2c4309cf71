"""Tables of figures: the same rows and columns printed, written to the card and shown in the documentation."""

import math
from collections.abc import Mapping

from model_training.evaluation.intervals import Interval

Value = Interval | float | int | str
Cells = dict[str, Value]
Table = dict[str, Cells]

_DIGITS = 3
_NONE = "none"


def rounded(table: Table) -> Table:
    """Keep as many digits as mean anything; a figure of nothing becomes a word, because JSON has no NaN."""
    return {row: {column: _rounded(value) for column, value in cells.items()} for row, cells in table.items()}


def _rounded(value: Value) -> Value:
    if isinstance(value, float):
        return _NONE if math.isnan(value) else round(value, _DIGITS)
    if isinstance(value, tuple | list):
        if math.isnan(value[0]):
            return _NONE
        estimate, low, high = (round(float(part), _DIGITS) for part in value)
        return estimate, low, high
    return value


def estimate(value: Value) -> float:
    """Return the figure without its interval; NaN for a word."""
    if isinstance(value, str):
        return math.nan
    return float(value[0] if isinstance(value, tuple | list) else value)


def as_text(value: Value) -> str:
    """Show `.812 [.760, .861]` for an interval, and plain numbers and words as they are."""
    if isinstance(value, tuple | list):
        estimate, low, high = map(_short, value)
        return f"{estimate} [{low}, {high}]"
    return _short(value) if isinstance(value, float) else str(value)


def _short(number: float) -> str:
    """Leave the zero before the point out, as tables of shares do; what is large needs fewer digits."""
    if abs(number) < 1:
        return f"{number:.{_DIGITS}f}".replace("0.", ".", 1)
    return f"{number:.{_DIGITS if abs(number) < 10 else 1}f}"


def plain(table: Table) -> str:
    """Format as aligned columns for a terminal."""
    lines = _cells(table)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def markdown(table: Table) -> str:
    """Format as Markdown, numbers to the right."""
    head, *rows = _cells(table)
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *rows))


def _cells(table: Mapping[str, Mapping[str, Value]]) -> list[list[str]]:
    """Header and rows; a column that a row lacks stays empty."""
    columns = list(dict.fromkeys(column for cells in table.values() for column in cells))
    rows = [[row, *(as_text(cells[c]) if c in cells else "" for c in columns)] for row, cells in table.items()]
    return [["", *columns], *rows]
