"""The result of `stockade simulate`: its shape, its means, and the page that shows it."""

from api.season_report.page import render_page, write_page
from api.season_report.result import Mean, Simulation, means_of

__all__ = ["Mean", "Simulation", "means_of", "render_page", "write_page"]
