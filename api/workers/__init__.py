"""Several processes behind one port: a supervisor that owns the store and the port, and workers that serve."""
