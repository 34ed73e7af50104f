"""The page that tells what a flash sale did: one HTML file that needs no network and no script."""

from loadtest.report.page import render_report, write_report

__all__ = ["render_report", "write_report"]
