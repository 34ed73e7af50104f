"""`stockade policy show | publish | withdraw`: the book of policies that the store has, for all who plan on it."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from api.cli.console import EXIT_FINDING, EXIT_WRONG, StoreOptions, err, out, print_json
from engine import Settings, open_engine
from engine.errors import StoreUnsupported
from engine.model import Warehouse
from engine.policy import PolicyBook, check_policies, read_policies


async def show(*, json: bool = False, store: StoreOptions = StoreOptions()) -> int:  # noqa: B008 - frozen
    """The store's policies, as they were put there."""
    async with open_engine(store.settings(), attach=True, background=False, load=False) as engine:
        await engine.policies.refresh()
    book = engine.policies.stored
    if json:
        print_json(book and {"version": book.version, "fingerprint": book.fingerprint, "text": book.text})
    elif book is not None:
        err.print(f"Version {book.version}, fingerprint {book.fingerprint}:", markup=False)
        print(book.text, end="" if book.text.endswith("\n") else "\n")
    else:
        out.print("The store has none: the built-in policies are in force.")
    return 0


async def publish(
    file: Annotated[Path, Parameter(help="Policies as TOML.")],
    /,
    *,
    force: Annotated[bool, Parameter(help="Even if some of them can serve nobody on this network.")] = False,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Put a file's policies in force on the store, also those of before; its services follow at once.

    Exit 2, with nothing done, where a policy names a warehouse that there is not, or leaves none.
    """
    settings = store.settings()
    book = read_policies(file, default=settings.policy)
    checked = check_policies(book.text.encode(), default=settings.policy, network=await _warehouses(settings))
    if not isinstance(checked, PolicyBook) and not force:
        for one in checked:
            err.print(f"{file}:{one.line}: {one.where}: {one.reason}", markup=False, soft_wrap=True)
        err.print("Not put in force. --force does so all the same.")
        return EXIT_WRONG
    async with open_engine(settings, attach=True, background=False, load=False) as engine:
        await engine.policies.publish(book, go_back=True, source=str(file))
    if json:
        print_json({"version": book.version, "fingerprint": book.fingerprint})
    else:
        out.print(f"Version {book.version}, fingerprint {book.fingerprint}, is in force.", markup=False)
    return 0


async def _warehouses(settings: Settings) -> Collection[Warehouse] | None:
    """Those of the store; None where it has none, or has policies that cannot be read, which others shall mend."""
    try:
        async with open_engine(settings, attach=True, background=False) as engine:
            return engine.planner.warehouses.values() or None
    except StoreUnsupported:
        return None


async def withdraw(*, json: bool = False, store: StoreOptions = StoreOptions()) -> int:  # noqa: B008 - frozen
    """Take the policies out of the store: the built-in ones are in force. Exit 1 when there were none."""
    async with open_engine(store.settings(), attach=True, background=False, load=False) as engine:
        was_there = await engine.policies.withdraw()
    if json:
        print_json({"withdrawn": was_there})
    else:
        out.print("The built-in policies are in force." if was_there else "There were none in the store.")
    return 0 if was_there else EXIT_FINDING
