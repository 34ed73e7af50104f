"""When a call is sent again, and when no more. Pure: whoever drives it sends, and sleeps."""

import random
import ssl
from email.utils import parsedate_to_datetime
from math import isfinite
from time import monotonic, time
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from api.client.calls import Call, Reply
from api.client.errors import ClientError, NoAnswer, ProblemError, problem_of_answer

T = TypeVar("T")

BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 5.0
ATTEMPT_MIN_S = 0.001

SURELY_NOT_DONE = ("overloaded", "deadline-exceeded", "contended", "stock-under-change")
"""Problems after which nothing was done: another try cannot do anything twice."""


class Retry(Struct, frozen=True, kw_only=True):
    """How patient a client is. Pauses double from `backoff_s` on, are drawn from half to whole, and never shorter than
    what a Retry-After asks for. Raises ValueError for what is no patience at all."""

    attempts_max: int = 20
    """The deadline comes first, but where answers come at once and none asks for a pause."""
    deadline_s: float = 30.0
    """For a whole call, tries and pauses together: a service that is started anew is back by then."""
    attempt_s: float = 10.0
    """For one try."""
    backoff_s: float = BACKOFF_FIRST_S
    backoff_max_s: float = BACKOFF_MAX_S

    def __post_init__(self) -> None:
        if self.attempts_max < 1:
            raise ValueError(f"attempts_max must be 1 or more, not {self.attempts_max}")
        for name in ("deadline_s", "attempt_s", "backoff_s", "backoff_max_s"):
            if not (isfinite(seconds := getattr(self, name)) and seconds > 0):
                raise ValueError(f"{name} must be a finite number of seconds above 0, not {seconds}")


class UnexpectedAnswer(ClientError):
    """An answer that is not what the contract says."""


class Attempts(Generic[T]):
    """The tries of one call."""

    def __init__(self, call: Call[T], retry: Retry) -> None:
        self._call = call
        self._retry = retry
        self._ends = monotonic() + retry.deadline_s + call.wait_s
        self._made = 0

    def begin(self) -> float:
        """Count a try; returns how many seconds it may take."""
        self._made += 1
        return max(ATTEMPT_MIN_S, min(self._retry.attempt_s + self._call.wait_s, self._ends - monotonic()))

    def done(self, reply: Reply) -> bool:
        """Whether a reply is the call's success."""
        return 200 <= reply.status < 300

    def result(self, reply: Reply) -> T:
        """What a success says. Raises UnexpectedAnswer."""
        try:
            return self._call.read(reply)
        except msgspec.MsgspecError as error:
            raise UnexpectedAnswer(f"{self._what}: the answer cannot be read: {error}") from error

    def pause_after(self, reply: Reply) -> float:
        """How many seconds to wait after a reply that is no success. Raises ProblemError where it is the last word."""
        problem = problem_of_answer(reply.status, reply.body, retry_after_s=retry_after_s(reply.retry_after))
        if not self._worth(problem):
            raise problem
        pause_s = self._pause(problem.retry_after_s or 0.0)
        if pause_s is None:
            raise problem
        return pause_s

    def pause_after_break(self, error: Exception, *, sent: bool) -> float:
        """How many seconds to wait after a try without an answer. Raises NoAnswer where it is the last one.

        `sent`: whether the service may have got the request.
        """
        # A certificate that is not trusted is none that will be in a moment, and nothing to be knocked at.
        hopeless = isinstance(error, ssl.SSLCertVerificationError)
        pause_s = self._pause(0.0) if not hopeless and (self._call.repeatable or not sent) else None
        if pause_s is None:
            raise NoAnswer(self._what, self._made, str(error) or type(error).__name__) from error
        return pause_s

    def progressed(self) -> None:
        """Part of the call is done: patience begins anew."""
        self._made = 0
        self._ends = monotonic() + self._retry.deadline_s

    def _worth(self, problem: ProblemError) -> bool:
        # Of what is no problem of the service's, RETRIED has said it.
        if not problem.retryable:
            return False
        # A proxy, or a service that lost its store, does not know what became of it.
        certain = problem.status in (408, 429) or problem.type in SURELY_NOT_DONE
        return self._call.repeatable or certain

    def _pause(self, asked_s: float) -> float | None:
        if self._made >= self._retry.attempts_max:
            return None
        whole_s = min(self._retry.backoff_max_s, self._retry.backoff_s * 2.0 ** (self._made - 1))
        pause_s = asked_s + whole_s * random.uniform(0.5, 1.0)
        return pause_s if monotonic() + pause_s < self._ends else None

    @property
    def _what(self) -> str:
        return f"{self._call.method} {self._call.target}"


def retry_after_s(text: str | None) -> float | None:
    """The seconds that a Retry-After asks for, whether it is a number or a date; None where it is neither."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except ValueError:
        return None
