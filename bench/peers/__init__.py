"""Stockade beside what web shops do today: row locks of PostgreSQL, a script per order of Redis, behind aiohttp."""
