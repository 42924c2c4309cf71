"""The answer of `musrecd recommend` as text: the favourites with their evidence, then the candidates."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from musrecd.commands.recommend import Pick, Recommendation
from musrecd.display import counted
from musrecd.recommend.taste import Favourite

_MOST_FAVOURITES = 6
_NAMED = 3
_NARROWEST_NAME = 24
_SCORE_AND_GAPS = 9


def show(answer: Recommendation, console: Console) -> None:
    """Print everything, for the width of the console."""
    console.print(Text(f"Favourites among {counted(len(answer.liked), 'liked track')}", style="bold"))
    favoured = [each for each in answer.favourites if each.is_favoured][:_MOST_FAVOURITES]
    if favoured:
        console.print(_favourites(answer, favoured))
    else:
        console.print("No genre is clearly more than usual among them.")
    if usual := [each for each in answer.favourites if not each.is_favoured][:_MOST_FAVOURITES]:
        words = ", ".join(f"{answer.genres[each.column]} ({_evidence(answer, each)})" for each in usual)
        console.print(Text(f"There, but not clearly more than usual: {words}", style="dim"))
    titles = {"genre": "By genre", "sound": "By sound"}
    for way, picks in answer.rankings.items():
        console.print()
        console.print(
            Text(f"{titles[way]}, {len(picks):,} of {counted(answer.n_candidates, 'candidate')}", style="bold")
        )
        console.print(_picks(picks, console.width, why="Genres" if way == "genre" else "Like"))


def _evidence(answer: Recommendation, favourite: Favourite) -> str:
    return f"{len(favourite.tracks)} of {len(answer.liked)}"


def _favourites(answer: Recommendation, favoured: Sequence[Favourite]) -> Table:
    """Draw a line for each genre: how often, how surely, how much more than usual, and which tracks say so."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("Genre", "Liked", "Mean", "Usual", "Heard in"):
        table.add_column(name, justify="right" if name in ("Mean", "Usual") else "left", no_wrap=name != "Heard in")
    for each in favoured:
        names = [answer.liked[place].name for place in each.tracks]
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        table.add_row(
            Text(answer.genres[each.column]),
            _evidence(answer, each),
            f"{each.share:.0%}",
            f"{each.usual:.0%}",
            Text("; ".join(names[:_NAMED]) + more if names else "a little of many", style="dim"),
        )
    table.caption = f"Mean: its mean probability over the liked tracks. Usual: over {answer.usual_in}."
    table.caption_justify = "left"
    return table


def _picks(picks: Sequence[Pick], width: int, *, why: str) -> Table:
    """Draw a line for each candidate; what does not fit into the width is cut off, the score never."""
    longest = max((cell_len(pick.track.name) for pick in picks), default=0)
    track_width = min(longest, max(_NARROWEST_NAME, width * 2 // 5))
    reason_width = max(len(why), width - track_width - _SCORE_AND_GAPS)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Score", justify="right", no_wrap=True)
    table.add_column("Track", no_wrap=True)
    table.add_column(why, no_wrap=True)
    for pick in picks:
        name, reason = Text(pick.track.name), Text(_reason(pick, why), style="dim")
        name.truncate(track_width, overflow="ellipsis")
        reason.truncate(reason_width, overflow="ellipsis")
        table.add_row(f"{pick.score:.2f}", name, reason)
    return table


def _reason(pick: Pick, why: str) -> str:
    if why == "Genres":
        return ", ".join(f"{name} {value:.0%}" for name, value in pick.because)
    return "; ".join(f"{value:.2f} {name}" for name, value in pick.because)
