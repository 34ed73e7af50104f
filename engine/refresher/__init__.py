"""Prices the stock of a live system for the orders that are to come, again and again. Off unless `prices` says so.

Each engine does it for itself, from the same events and by the same steps: there is no leader to lose, and with several
workers as much processor time goes into it as there are workers.
"""

from engine.refresher.refresher import PriceRefresher, PriceStatus

__all__ = ["PriceRefresher", "PriceStatus"]
