"""A whole question, but for the tracks that it is about."""

from dataclasses import dataclass, field
from typing import Literal

from musrecd.recommend.asking import Choice, Rules

Order = Literal["score", "flow"]


@dataclass(frozen=True, slots=True)
class Question:
    """What results have to be, how they are picked, and in which order they are given.

    `in_detail` if it is to be told which parts of the tracks are close, too, for which more has to be read.
    """

    rules: Rules = field(default_factory=Rules)
    choice: Choice = field(default_factory=Choice)
    order: Order = "score"
    in_detail: bool = False
