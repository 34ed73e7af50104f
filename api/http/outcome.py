"""Says in a word what became of a request."""

from api.http.answer import REPLAYED, Answer
from api.http.problems import Problem


def outcome_of(answered: Answer | Problem) -> str:
    """A problem's type; else `reserved`, `replayed` or `ok`."""
    if isinstance(answered, Problem):
        return answered.type
    if answered.headers is REPLAYED:
        return "replayed"
    return "reserved" if answered.status == 201 else "ok"
