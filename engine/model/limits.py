"""Every business limit of the model, with its unit. The wire types and the store's callers read them from here."""

ID_LENGTH_MAX = 128
"""Characters of an order, SKU, warehouse or customer id."""

LINES_MAX = 100
"""Lines of one order."""

QUANTITY_MAX = 1_000_000
"""Units of one line."""

HELD_LINES_MAX = 1_000
"""Lines by which units of an order are named: a line of it may be held at several warehouses."""

VERSION_MAX = 2**32 - 1
"""Changes of one order."""

SPLITS_MAX = 32
"""Orders that are split off from one."""

ON_HAND_MAX = 1_000_000_000
"""Units in one cell. Sums over 4,096 warehouses stay far below 2**53, up to which the store's Lua is exact."""

MONEY_MAX = 1_000_000_000_000
"""Minor units of any single amount."""

WAREHOUSES_MAX = 4_096
"""Warehouses in a network: a cell number is sku * WAREHOUSES_MAX + warehouse."""

HOLIDAYS_MAX = 400
"""Days on which a warehouse is closed besides its weekdays."""

CARRIERS_MAX = 32
ZONES_MAX = 64
"""Zones of one carrier."""
ZONE_NAMES_MAX = 1_000
"""Countries, regions or beginnings of postcodes that one zone names."""
WEIGHT_STEPS_MAX = 100

MATRIX_VALUES_MAX = 500_000
"""Numbers of a user's own matrix of distances or costs: destinations times warehouses."""

SKUS_MAX = 16_777_216
"""SKUs in a catalogue."""

CHANNELS_MAX = 255
"""Channels with pools of their own."""

STOCK_ROWS_MAX = 10_000
"""Rows of one stock call, which is applied whole or not at all."""

SUBSTITUTES_MAX = 8
"""SKUs that may come instead of one."""

COMPONENTS_MAX = 16
"""SKUs that a bundle is made of."""

COMPONENT_QUANTITY_MAX = 1_000
"""Units of one of them in one bundle."""

METADATA_KEYS_MAX = 32
METADATA_VALUE_LENGTH_MAX = 512

METADATA_INT_MIN = -(2**63)
METADATA_INT_MAX = 2**63 - 1
"""What every reader of an order's bytes holds in one number."""

HOLD_SECONDS_MAX = 7 * 24 * 3600

ORDER_BYTES_MAX = 64 * 1024
"""Body of one order over HTTP."""

BODY_BYTES_MAX = 4 * 1024 * 1024
"""Body of any other HTTP call."""

ARRIVALS_MAX = 64
"""Announced arrivals and transfers that may be open in one cell."""

REASON_LENGTH_MAX = 512
"""Characters of the reason that a movement gives."""

CAPABILITIES_MAX = 32
"""Capabilities of one warehouse, or that one SKU needs."""
