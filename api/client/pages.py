"""How much the client asks for at once of what comes in pages."""

PAGE_CELLS = 1_000
PAGE_EVENTS = 100
EVENTS_WAIT_MS = 20_000
"""How long one request for events waits for the next one."""
