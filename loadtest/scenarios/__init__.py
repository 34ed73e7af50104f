"""Load tests as files: what is sold, who buys how, what goes wrong when, and what must come of it."""

from loadtest.scenarios.check import Scenario, built_in, check_scenario, names, read_scenario
from loadtest.scenarios.document import ScenarioDocument

__all__ = ["Scenario", "ScenarioDocument", "built_in", "check_scenario", "names", "read_scenario"]
