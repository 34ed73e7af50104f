"""Says in a word what became of a request."""

from api.http.answer import REPLAYED, Answer
from api.http.problems import Problem
from api.metrics.counts import ORDERS_ROUTE


def outcome_of(answered: Answer | Problem, route: str) -> str:
    """A problem's type; else `reserved` of an order, `created` of anything else, `replayed` or `ok`."""
    if isinstance(answered, Problem):
        return answered.type
    if answered.headers is REPLAYED:
        return "replayed"
    if answered.status != 201:
        return "ok"
    return "reserved" if route == ORDERS_ROUTE else "created"
