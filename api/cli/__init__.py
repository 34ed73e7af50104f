"""The command line: `stockade`. One file a command."""

from api.cli.main import main

__all__ = ["main"]
