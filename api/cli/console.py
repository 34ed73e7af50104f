"""How commands speak: results to standard output, all else to standard error, `--json` for machines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine import Loaded, Settings, read_settings

EXIT_FINDING = 1
"""The command ran, and found what should not be."""
EXIT_WRONG = 2
"""Wrong usage or input, or no store: nothing was done."""

# Wide enough for a table even where the output goes to a file.
out = Console(soft_wrap=False, highlight=False)
err = Console(stderr=True, highlight=False)


@Parameter(name="*")
@dataclass(frozen=True)
class StoreOptions:
    """Which store a command works on."""

    redis_url: Annotated[str | None, Parameter(help="The store; else REDIS_URL, else the embedded one.")] = None
    data_dir: Annotated[str | None, Parameter(help="Home of the embedded store.")] = None

    config: Annotated[str | None, Parameter(help="File of settings (TOML); else STOCKADE_CONFIG.")] = None

    def settings(self, **given: Any) -> Settings:
        """The settings with these options before the environment, and that before the file."""
        return self.loaded(**given).settings

    def loaded(self, **given: Any) -> Loaded:
        """The same, with the source of each."""
        return read_settings(config=self.config, redis_url=self.redis_url, data_dir=self.data_dir, **given)


def print_json(value: object) -> None:
    """One JSON value, indented, to standard output."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None, numbers: Sequence[str] = ()
) -> None:
    """A table; the columns named in `numbers` are set to the right."""
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        # As Text: a name may hold brackets, which would be read as markup.
        table.add_row(*(Text(f"{cell:,}" if type(cell) is int else str(cell)) for cell in row))
    out.print(table)


def money(minor: float, currency: str) -> str:
    """An amount of minor units, in major ones."""
    return f"{minor / 100:,.2f} {currency}"


def mean(value: float | None, form: str, *, per: int = 1) -> str:
    """A mean in a table, by a format of numbers, after division by `per`; a dash where there is none."""
    return "-" if value is None else format(value / per, form)
