"""Batches from frames and back: columns of NumPy, pandas, polars, Arrow. Imports none of them but where it is asked."""
