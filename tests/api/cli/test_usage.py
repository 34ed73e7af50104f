"""How commands are called: help for each, exit 2 and a word for whatever is wrong."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog

from api.cli import main
from tests.api.conftest import Finished, run, run_all

COMMANDS = [
    *("", "serve", "demo", "doctor", "stock", "stock set", "skus", "skus set", "orders", "plan"),
    *("assign", "reallocate", "reallocate list", "reallocate show", "reallocate apply", "reallocate rollback"),
    *("policy check", "policy compare", "tariff", "tariff set", "audit", "openapi"),
    *("keys create", "keys list", "keys rotate", "keys revoke", "loadtest", "simulate"),
]

WRONG = {
    "nonsense": "nonsense",
    "audit --nonsense": "--nonsense",
    "serve --port http": "--port",
    "orders --limit -1": "--limit",
    "orders --limit 100001": "--limit",
    "orders one two": "two",
    "stock --limit 0": "--limit",
    "stock set": "FILE",
    "stock set one two": "two",
    "plan": "FILE",
    "reallocate --all-open --max-moves 0": "--max-moves",
    "reallocate --all-open --report page.txt": "--report",
    "reallocate --all-open --moves moves.xls": "moves.xls",
    "assign --lines x.csv": "--stock",
    "tariff set": "FILE",
    "tariff distances": "FILE, --remove",
    "tariff costs x.csv --remove": "FILE, --remove",
    "plan one --nonsense": "--nonsense",
    "demo --orders 0": "--orders",
    "demo --connections 1000000": "--connections",
}


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[str], Finished]]:
    """The entry point in this process: what is refused before it begins needs no process of its own."""

    def call(arguments: str) -> Finished:
        monkeypatch.setattr(sys, "argv", ["stockade", *arguments.split()])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Finished(int(ended.value.code or 0), said.out, said.err)

    yield call
    structlog.reset_defaults()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(called: Callable[[str], Finished], command: str) -> None:
    """--help is where an operator looks first, at night."""
    finished = called(f"{command} --help")
    assert (finished.code, finished.err) == (0, "")
    assert f"Usage: stockade {command}".rstrip() in finished.out
    assert "--help" in finished.out if not command else "--" in finished.out


@pytest.mark.parametrize("command", WRONG)
def test_wrong_usage_ends_with_2_and_names_what_is_wrong(called: Callable[[str], Finished], command: str) -> None:
    """A script must be able to tell wrong usage from a finding, and its author what to mend."""
    finished = called(command)
    assert (finished.code, finished.out) == (2, "")
    assert WRONG[command] in finished.err


def test_an_audit_does_not_wait_for_what_only_a_service_imports() -> None:
    """An operator runs it at night, beside a sale that wants the processor."""
    imported = "import sys, api.cli.main, api.cli.audit; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", imported], check=False, timeout=60).returncode == 0


def test_the_exit_code_is_that_of_the_process() -> None:
    """The same through the interpreter, where a shell sees it."""
    helped, wrong, port, data_dir = run_all(
        [
            ("stock", "set", "--help"),
            ("audit", "--nonsense"),
            ("serve", "--port", "70000"),
            ("doctor", "--data-dir", ""),
        ]
    )
    assert (helped.code, helped.err) == (0, "")
    assert (wrong.code, wrong.out) == (2, "")
    assert (port.code, port.err.partition(":")[0]) == (2, "port")
    assert (data_dir.code, data_dir.err.partition(":")[0]) == (2, "data_dir")


def test_wrong_settings_end_with_2_and_are_all_named() -> None:
    """A variable with a typing error would silently mean the default: it is refused, with all the others."""
    wrong = {
        "STOCKADE_PROT": "8080",
        "STOCKADE_POLICY": "magic",
        "STOCKADE_FIXED_COST": "-1",
        "STOCKADE_CURRENCY": "yuan",
        "STOCKADE_BATCH_ORDERS_MAX": "0",
    }
    finished = run("audit", **wrong)
    assert (finished.code, finished.out) == (2, "")
    for name in wrong:
        assert f"{name}: " in finished.err
