"""Errors carry their data, and their messages say what to do next."""

from pathlib import Path

import pytest
from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    ConnectionError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)

from engine.errors import (
    DataDirInUse,
    FieldError,
    InvalidInput,
    StockadeError,
    StockBelowReserved,
    StoreChanged,
    StoreUnavailable,
    StoreUnsupported,
)
from engine.store import StoreRefused
from engine.store.errors import store_errors


def test_invalid_input_names_every_field_and_rule() -> None:
    """The first of ten is mended, then the second is found: nobody wants that."""
    error = InvalidInput((FieldError("/lines/0/sku", "is unknown"), FieldError("", "must be 1 to 10 rows")))
    assert str(error) == "/lines/0/sku: is unknown; /: must be 1 to 10 rows"
    assert len(error.errors) == 2


def test_a_count_that_is_too_low_says_how_low_it_may_be() -> None:
    """The number to type instead."""
    error = StockBelowReserved(((3, 17),))
    assert error.rows == ((3, 17),)
    assert "row 3: 17 units" in str(error)


@pytest.mark.parametrize(("pid", "holder"), [(4711, "process 4711"), (None, "another process")])
def test_a_directory_in_use_names_its_holder_and_the_way_out(pid: int | None, holder: str) -> None:
    """Whoever starts a second service reads this one line."""
    error = DataDirInUse(Path("store"), pid)
    assert (error.data_dir, error.pid) == (Path("store"), pid)
    for part in ("store is in use by", holder, "--data-dir", "REDIS_URL"):
        assert part in str(error)


@pytest.mark.parametrize(
    ("raised", "kind", "says"),
    [
        (ConnectionError("reset"), StoreUnavailable, "does not answer: reset"),
        (TimeoutError(), StoreUnavailable, "TimeoutError"),
        (OSError("no route"), StoreUnavailable, "no route"),
        (RedisError("strange"), StoreUnavailable, "strange"),
        (AuthenticationError("wrong"), StoreRefused, "Check REDIS_URL"),
        (OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), StoreRefused, "raise maxmemory"),
        (ReadOnlyError("You can't write against a read only replica."), StoreRefused, "primary"),
        (NoPermissionError("this user has no permissions to run the 'fcall' command"), StoreRefused, "ACL"),
        (ResponseError("MISCONF Errors writing to the AOF file"), StoreRefused, "its log"),
        (ResponseError("NOREPLICAS Not enough good replicas to write."), StoreRefused, "min-replicas-to-write"),
        (ResponseError("CATALOGUEFULL no number is left for another sku"), StoreRefused, "no number is left"),
        (ClusterDownError("Hash slot not served"), StoreRefused, "CLUSTER INFO"),
        (TryAgainError("Multiple keys request during rehashing of slot"), StoreRefused, "moved"),
        (MovedError("1 there:2"), StoreRefused, "CLUSTER NODES"),
        (AskError("1 there:2"), StoreRefused, "CLUSTER NODES"),
        (ResponseError("something new"), StoreUnavailable, "something new"),
        (ResponseError("STALEEPOCH the store was emptied"), StoreChanged, "the store was emptied"),
        (ResponseError("unknown command 'FCALL', with args"), StoreUnsupported, "7.0"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_the_client_library_raises_becomes_ours(raised: Exception, kind: type[Exception], says: str) -> None:
    """Whether something may have been done is the one question: only what the store itself refused is certain."""
    with pytest.raises(StockadeError, match=says) as caught, store_errors():
        raise raised
    assert type(caught.value) is kind
    assert caught.value.__cause__ is raised
