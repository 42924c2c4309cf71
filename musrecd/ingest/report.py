"""What a run over files did, in numbers."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Report:
    """What a run did. `known` files needed nothing, `recognised` ones held a recording heard before.

    `skipped` files failed before and have not changed since.
    """

    analysed: int = 0
    recognised: int = 0
    failed: int = 0
    known: int = 0
    skipped: int = 0
    interrupted: bool = False
    seconds: float = 0.0
    failures: list[tuple[bytes, str]] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Files that were looked into."""
        return self.analysed + self.recognised + self.failed

    @property
    def found_nothing_to_do(self) -> bool:
        """Whether all files were known, so that the same run would find the same."""
        return not (self.done or self.skipped or self.interrupted)
