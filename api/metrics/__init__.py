"""What the service counts and measures of itself, and how Prometheus reads it.

`counts` is on the way of every request; all else is done at leisure: `gauges` reads what stands, `snapshot` is what one
worker tells, `run_dir` where workers tell it to each other, `families` what it is called, `exposition` its text.
"""

from api.metrics.counts import Counts
from api.metrics.meter import Meter

__all__ = ["Counts", "Meter"]
