"""Says why a run is no result, in words: lies first. Pure."""

from loadtest.capacity.knee import by_load
from loadtest.capacity.result import CapacityResult
from loadtest.verdict import lies


def findings(result: CapacityResult) -> list[str]:
    """What is not as it should be; that a run is incomplete is said by itself."""
    found = [line for session in result.sessions if session.audit is not None for line in lies(session.audit)]
    found += [
        f"Workers {session.workers}: the generator limited every load, so that it is what was measured. Give it a"
        " processor of its own, and leave the machine alone meanwhile."
        for session in result.sessions
        if session.sweep and not by_load(session.sweep)
    ]
    found += [
        f"Workers {session.workers}: no load met the objective, p99 of {session.knee.p99_ms:g} ms or less. Allow a"
        " larger --p99-ms, or measure lower --loads."
        for session in result.sessions
        if session.knee is not None and session.knee.per_s is None
    ]
    return found
