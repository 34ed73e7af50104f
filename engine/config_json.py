"""Settings as one process hands them to another of the same release. They may hold the store's password."""

import msgspec

from engine.config import Settings, as_path


def settings_from_json(text: bytes) -> Settings:
    """Settings as another process wrote them with `settings_to_json`."""
    return msgspec.json.decode(text, type=Settings, dec_hook=as_path)


def settings_to_json(settings: Settings) -> bytes:
    """Settings for a process that this one starts."""
    return msgspec.json.encode(settings, enc_hook=str)
