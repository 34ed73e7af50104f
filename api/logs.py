"""Sets up the log: lines on standard error, so that results keep standard output for themselves.

For machines a JSON object a line, for people on a terminal a line in colour. A traceback shows no values of variables,
which may be secrets.
"""

import json
import sys
from typing import Any

import msgspec
import structlog
from structlog.typing import Processor

from engine.config import LogFormat


def log_to_standard_error(form: LogFormat = "console") -> None:
    """Have every line of the log from here on go to standard error, in this form."""
    if form == "auto":
        form = "console" if sys.stderr.isatty() else "json"
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if form == "json":
        processors += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    else:
        processors.append(
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        )
    structlog.configure(processors=processors, logger_factory=structlog.PrintLoggerFactory(sys.stderr))


def _json(fields: dict[str, Any], **_: Any) -> str:
    try:
        return msgspec.json.encode(fields, enc_hook=repr).decode()
    except UnicodeEncodeError:
        # A path, say, that is no text: what it has of none is written as escapes.
        return json.dumps(fields, default=repr)
