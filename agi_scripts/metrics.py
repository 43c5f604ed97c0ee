"""What the voice side counts. Labels are few and fixed; nothing of a caller is in them."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

CALLS = Counter("hotline_voice_calls", "Scripts that ended, by how", ["script", "outcome"])
REFUSED = Counter("hotline_voice_refused", "Connections refused, by why", ["why"])
SPOKEN = Counter("hotline_voice_spoken", "What was said in the menu, by what became of it", ["outcome"])
RUNNING = Gauge("hotline_voice_running", "Scripts that run now")
COMMAND_SECONDS = Histogram(
    "hotline_voice_command_seconds",
    "Time of AGI commands that wait for nobody",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 5),
)
CALL_SECONDS = Histogram("hotline_voice_call_seconds", "Time of whole scripts", buckets=(1, 3, 10, 30, 60, 120, 300))

QUICK_COMMANDS = frozenset(
    ("EXEC", "SET VARIABLE", "GET VARIABLE", "GET FULL VARIABLE", "NOOP", "CHANNEL STATUS", "ANSWER", "VERBOSE")
)
"""Commands whose time is Asterisk's and ours, not the caller's."""
