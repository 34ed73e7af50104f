"""The life of orders that hold stock: confirmed, extended, shipped, cancelled, split, amended."""
