"""The audit after a run, over HTTP alone: what orders were told against what the service has, and its books."""
