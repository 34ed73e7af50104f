"""What sample orders are made of, as shares: orders.py draws by them, the stock is sized by them. Constants only."""

from math import fsum

from engine.model.order import Payment

LINE_COUNT_SHARES = {1: 0.55, 2: 0.25, 3: 0.11, 4: 0.06, 5: 0.03}
LINES_MAX = max(LINE_COUNT_SHARES)
QUANTITY_SHARES = {1: 0.88, 2: 0.09, 3: 0.03}
SAME_SKU_SHARE = 0.01
"""Orders that name their first SKU in one line more, of one unit, where LINES_MAX leaves room."""

CHANNEL_SHARES = {"app": 0.62, "web": 0.18, "marketplace": 0.20}
PAYMENT_SHARES: dict[Payment, float] = {"paid": 0.90, "cod": 0.06, "pending": 0.04}
PENDING_HOLD_SECONDS = 900

CUSTOMERS = 200_000

RETRY_SHARE = 0.03
"""Offers that repeat an order of RETRY_LAG_MIN to RETRY_LAG_MAX offers ago: a client that timed out."""
RETRY_LAG_MIN = 20
RETRY_LAG_MAX = 400
TWIN_SHARE = 0.01
"""Offers that repeat the offer just before: a double click, or two gateways."""

# fsum is exact on every Python; sum() rounds otherwise from 3.12 on.
UNITS_PER_ORDER_MEAN = fsum(count * share for count, share in LINE_COUNT_SHARES.items()) * fsum(
    quantity * share for quantity, share in QUANTITY_SHARES.items()
) + SAME_SKU_SHARE * (1 - LINE_COUNT_SHARES[LINES_MAX])
