"""What would happen to the genres of tracks, as lines for a person and as plain values for a program."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len, set_cell_size

from musrecd.display import printable
from musrecd.tagging.policy import Decision
from musrecd.tagging.predict import Prediction

# A change of so many tracks is asked about first.
ASK_FROM = 20
_WIDEST_NAME = 60
_WIDEST_WORDS = 40
_SIGNS = {"fill": "→", "add": "+", "replace": "⇒"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A track: its `name` as it is shown, the genres it has, what it sounds like, and what would happen."""

    name: str
    current: tuple[str, ...]
    predicted: tuple[Prediction, ...]
    decision: Decision


def lines(proposals: Sequence[Proposal], *, shown: int) -> Iterator[str]:
    """Write a line each, in columns; of what it sounds like the `shown` most probable."""
    rows = [
        (
            printable(each.name),
            printable(", ".join(each.current)) or "–",
            ", ".join(f"{word.name} {word.probability:.0%}" for word in each.predicted[:shown]) or "–",
            what_happens(each.current, each.decision),
        )
        for each in proposals
    ]
    limits = (_WIDEST_NAME, _WIDEST_WORDS, _WIDEST_WORDS)
    widths = [min(limit, max((cell_len(row[i]) for row in rows), default=0)) for i, limit in enumerate(limits)]
    for *columns, last in rows:
        yield "  ".join([*(padded(text, width) for text, width in zip(columns, widths, strict=True)), last])


def what_happens(current: Sequence[str], decision: Decision) -> str:
    """Say in a few words what would be written, or why nothing."""
    moods = f"moods: {printable(', '.join(decision.moods))}" if decision.moods else ""
    besides = "; ".join(filter(None, (moods, str(decision.heard))))
    if decision.genres is None:
        return " ".join(filter(None, (f"({decision.why})", besides)))
    new = decision.genres[len(current) :] if decision.why == "add" else decision.genres
    return "; ".join(filter(None, (f"{_SIGNS[decision.why]} {printable(', '.join(new))}", besides)))


def to_dict(proposal: Proposal) -> dict[str, Any]:
    """Return a proposal as plain values."""
    decision = proposal.decision
    return {
        "genres": list(proposal.current),
        "predicted": [
            {
                "genre": each.name,
                "probability": round(each.probability, 4),
                # Some genres are never sure enough.
                "threshold": round(each.threshold, 4) if math.isfinite(each.threshold) else None,
            }
            for each in proposal.predicted
        ],
        "would_write": None if decision.genres is None else list(decision.genres),
        "moods": list(decision.moods),
        "bpm": decision.heard.bpm,
        "key": decision.heard.key,
        "why": decision.why,
    }


def padded(text: str, width: int) -> str:
    """Fill up with spaces to so many columns."""
    # What is longer than its column is rather shown whole than cut off.
    return text if cell_len(text) >= width else set_cell_size(text, width)
