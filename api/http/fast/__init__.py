"""The fast lane: plain orders are read and answered by a protocol of our own; whatever else comes is aiohttp's."""

from api.http.fast.door import Door

__all__ = ["Door"]
