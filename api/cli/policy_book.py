"""`stockade policy show | publish | withdraw`: the book of policies that the store has, for all who plan on it."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from api.cli.console import EXIT_FINDING, EXIT_WRONG, StoreOptions, err, out, print_json
from api.cli.files import read_file
from api.cli.opening import open_store
from engine import Settings
from engine.errors import NoStoreThere, StoreUnsupported
from engine.model import Warehouse
from engine.policy import PolicyBook, book_of, check_policies
from engine.policy.force import WHAT_TO_DO


async def show(*, json: bool = False, store: StoreOptions = StoreOptions()) -> int:  # noqa: B008 - frozen
    """The store's policies, as they were put there; exit 1 when this release cannot read them."""
    async with open_store(store.settings(), load=False) as engine:
        book = await engine.policies.read_stored()
    if book is None:
        if json:
            print_json(None)
        else:
            out.print("The store has none: the built-in policies are in force.")
        return 0
    checked = check_policies(book.text.encode(), default=book.default)
    mistakes = () if isinstance(checked, PolicyBook) else checked
    if json:
        told = {"version": book.version, "fingerprint": book.fingerprint, "text": book.text}
        print_json(told | ({"mistakes": mistakes} if mistakes else {}))
        return EXIT_FINDING if mistakes else 0
    err.print(f"Version {book.version}, fingerprint {book.fingerprint}:", markup=False)
    print(book.text, end="" if book.text.endswith("\n") else "\n")
    if mistakes:
        err.print("This release cannot read them:")
        for one in mistakes:
            err.print(f"line {one.line}: {one.where}: {one.reason}", markup=False, soft_wrap=True)
        err.print(f"Services go on by what they had before, and no other begins. {WHAT_TO_DO}", soft_wrap=True)
    return EXIT_FINDING if mistakes else 0


async def publish(
    file: Annotated[Path, Parameter(help="Policies as TOML; - reads standard input.", allow_leading_hyphen=True)],
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
    book = book_of(read_file(file), source=str(file), default=settings.policy)
    checked = check_policies(book.text.encode(), default=settings.policy, network=await _warehouses(settings))
    if not isinstance(checked, PolicyBook) and not force:
        for one in checked:
            err.print(f"{file}:{one.line}: {one.where}: {one.reason}", markup=False, soft_wrap=True)
        err.print("Not put in force. --force does so all the same.")
        return EXIT_WRONG
    async with open_store(settings, makes=True, load=False) as engine:
        await engine.policies.publish(book, go_back=True, source=str(file))
    if json:
        print_json({"version": book.version, "fingerprint": book.fingerprint})
    else:
        out.print(f"Version {book.version}, fingerprint {book.fingerprint}, is in force.", markup=False)
    return 0


async def _warehouses(settings: Settings) -> Collection[Warehouse] | None:
    """Those of the store; None where it has none or is not made yet, or has policies that cannot be read."""
    try:
        async with open_store(settings) as engine:
            return engine.planner.warehouses.values() or None
    except (StoreUnsupported, NoStoreThere):
        return None


async def withdraw(*, json: bool = False, store: StoreOptions = StoreOptions()) -> int:  # noqa: B008 - frozen
    """Take the policies out of the store: the built-in ones are in force. Exit 1 when there were none."""
    async with open_store(store.settings(), load=False) as engine:
        was_there = await engine.policies.withdraw()
    if json:
        print_json({"withdrawn": was_there})
    else:
        out.print("The built-in policies are in force." if was_there else "There were none in the store.")
    return 0 if was_there else EXIT_FINDING
