"""Checks who calls, for every lane of the HTTP door. Knows requests by method, path, headers and body only."""
