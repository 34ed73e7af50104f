"""Runs wrk and reads what it prints."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wrk:
    """What wrk told of a run."""

    requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    other_answers: int
    """Answers that were neither 2xx nor 3xx, and socket errors."""


def run_wrk(url: str, script: Path, *arguments: str, seconds: int, connections: int) -> Wrk:
    """One run of one thread; what it sends is the script's to say."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), url, "--", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    text = done.stdout
    socket_errors = sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", text)))
    return Wrk(
        requests=int(_find(r"(\d+) requests in", text)),
        requests_per_second=float(_find(r"Requests/sec:\s+([\d.]+)", text)),
        p50_ms=_ms(_find(r"\n\s+50%\s+(\S+)", text)),
        p99_ms=_ms(_find(r"\n\s+99%\s+(\S+)", text)),
        other_answers=int(_find(r"Non-2xx or 3xx responses: (\d+)", text, "0")) + socket_errors,
    )


def _find(pattern: str, text: str, otherwise: str | None = None) -> str:
    found = re.search(pattern, text)
    if found is not None:
        return found.group(1)
    if otherwise is None:
        raise ValueError(f"wrk printed no {pattern}:\n{text}")
    return otherwise


def _ms(text: str) -> float:
    for unit, factor in (("us", 1e-3), ("ms", 1.0), ("s", 1e3)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    raise ValueError(f"not a duration: {text}")
