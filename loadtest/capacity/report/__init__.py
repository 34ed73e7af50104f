"""The page of a capacity result: one HTML file that needs no network and no script."""

from loadtest.capacity.report.page import render_capacity_report, write_capacity_report

__all__ = ["render_capacity_report", "write_capacity_report"]
