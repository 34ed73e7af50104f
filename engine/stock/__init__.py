"""Stock that is no order: counts, movements, and cells as they stand."""
