"""How commands speak: results to standard output, all else to standard error, `--json` for machines."""

import shlex
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.console import Console

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

    @property
    def words(self) -> str:
        """The options as they were given, to be put behind a command; empty without any. Passwords are left out."""
        secret = self.redis_url is not None and "@" in self.redis_url
        given = {
            "--redis-url": "URL" if secret else self.redis_url,
            "--data-dir": self.data_dir,
            "--config": self.config,
        }
        return "".join(f" {option} {shlex.quote(value)}" for option, value in given.items() if value is not None)

    def settings(self, **given: Any) -> Settings:
        """The settings with these options before the environment, and that before the file."""
        return self.loaded(**given).settings

    def loaded(self, **given: Any) -> Loaded:
        """The same, with the source of each."""
        return read_settings(config=self.config, redis_url=self.redis_url, data_dir=self.data_dir, **given)


def print_json(value: object) -> None:
    """One JSON value, indented, to standard output."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number of things in words: "1 rule", "1,200 rules"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def money(minor: float, currency: str) -> str:
    """An amount of minor units, in major ones."""
    return f"{minor / 100:,.2f} {currency}"


def mean(value: float | None, form: str, *, per: int = 1, unit: str = "") -> str:
    """A mean in a table, by a format of numbers, after division by `per`; a dash where there is none."""
    return "-" if value is None else f"{value / per:{form}} {unit}".rstrip()
