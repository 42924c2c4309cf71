"""A whole question, but for the tracks that it is about."""

from typing import Literal, NamedTuple

from musrecd.recommend.asking import Choice, Rules

Order = Literal["score", "flow"]


class Question(NamedTuple):
    """What results have to be, how they are picked, and in which order they are given.

    `in_detail` if it is to be told what speaks for each track, and which parts of it are close.
    """

    rules: Rules = Rules()
    choice: Choice = Choice()
    order: Order = "score"
    in_detail: bool = False
