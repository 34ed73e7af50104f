"""How many requests the holder of a key may send: the generic cell rate algorithm. Knows no HTTP."""

from api.rate_limit.limiter import Limiter
from api.rate_limit.pace import paced
from api.rate_limit.times import OwnTimes, SharedTimes, Times, open_times

__all__ = ["Limiter", "OwnTimes", "SharedTimes", "Times", "open_times", "paced"]
