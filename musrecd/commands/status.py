"""`musrecd status`: what the library holds, what failed, which encoder answers."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
from musrecd.config import Config
from musrecd.display import printable, printable_path
from musrecd.library.reader import LibraryReader

_SHOWN_FAILURES = 10


def collect(config: Config) -> dict[str, Any]:
    """Gather the state as plain values. Raises LibraryError if there is no library yet."""
    card = read_card(config.encoder or SHIPPED_WEIGHTS)
    with LibraryReader.open(config.library) as reader:
        summary = reader.summary()
        answering = reader.encoder()
        failures = reader.failures()
    return {
        "library": str(config.library),
        "size_bytes": summary.database_bytes,
        "journal_mode": summary.journal_mode,
        "files": summary.files,
        "recordings": summary.recordings,
        "missing": summary.missing,
        "encoder": card.info.version,
        "answering_encoder": answering.version if answering else None,
        "analysed": summary.analysed,
        "failures_by_reason": summary.failures,
        "failures": [
            {
                "path": printable_path(failure.path),
                "reason": failure.reason,
                "message": failure.message,
                "attempts": failure.attempts,
            }
            for failure in failures
        ],
    }


def show(state: dict[str, Any]) -> None:
    """Print the state as a page."""
    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    size = f"{state['size_bytes'] / 1e6:.1f} MB, journal {state['journal_mode']}"
    table.add_row("Library", Text(f"{printable(state['library'])} ({size})"))
    missing = f", {state['missing']:,} missing" if state["missing"] else ""
    table.add_row("Files", f"{state['files']:,} ({state['recordings']:,} recordings{missing})")
    for version, n_rows in state["analysed"].items():
        role = " (in use)" if version == state["answering_encoder"] else ""
        table.add_row("Analysed", Text(f"{n_rows:,} by {version}{role}"))
    table.add_row("Encoder", Text(state["encoder"]))
    reasons = ", ".join(f"{n:,} {reason}" for reason, n in state["failures_by_reason"].items())
    table.add_row("Failed", reasons or "none")
    console.print(table)
    if state["failures"]:
        console.print(Text("  `musrecd scan FOLDER --retry` tries them again", style="dim"))
    for failure in state["failures"][:_SHOWN_FAILURES]:
        console.print(Text(f"  {failure['path']}: {printable(failure['message'])}", style="dim"))
    if len(state["failures"]) > _SHOWN_FAILURES:
        console.print(Text("  … all of them: musrecd status --json", style="dim"))
