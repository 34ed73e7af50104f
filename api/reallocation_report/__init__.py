"""The report of a re-allocation: one HTML file that needs no network and no script."""

from api.reallocation_report.page import render_reallocation

__all__ = ["render_reallocation"]
