"""What both lanes tell of every request that was answered: for the counters, the log and the traces."""

from api.watch.watch import Watch

__all__ = ["Watch"]
