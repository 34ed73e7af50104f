"""What a service can do: measured over its load and its processes, fitted, planned with, compared, reported."""
