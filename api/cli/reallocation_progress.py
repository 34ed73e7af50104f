"""Shows on a terminal how far a re-allocation is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from api.cli.console import err
from api.reallocation_report.words import STATES
from engine.reallocation.model import ReallocationStatus


@contextmanager
def shown_progress() -> Iterator[Callable[[ReallocationStatus], None]]:
    """A line on standard error, which goes when it is done; what is yielded is told how the run stands."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        shown = progress.add_task("begins", total=None)

        def told(status: ReallocationStatus) -> None:
            moving = status.state in ("applying", "rolling_back")
            words = f"{status.id} is {STATES[status.state]}"
            if moving:
                words += f", {status.applied if status.state == 'applying' else status.rolled_back:,} orders done"
            progress.update(
                shown,
                description=words,
                total=status.chunks if moving else None,
                completed=status.chunks_done if moving else 0,
            )

        yield told
