"""A busy wallboard and a small simulated city."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def board(now: int, waiting: int = 3, agents: int = 14, callbacks: int = 0) -> Json:
    """A busy wallboard."""
    states = ["ready", "talking", "talking", "wrap_up", "not_ready", "talking", "offered"]
    people = [
        {
            "agent_id": str(1001 + n),
            "name": ["王小丽", "陈晓", "李明", "赵敏", "欧阳建国"][n % 5],
            "state": states[n % 7],
            "since_ms": now - 1000 * (17 + 61 * n),
            "reason": ["break", "meal", "no_answer"][n % 3] if states[n % 7] == "not_ready" else "",
            "not_ready_reason": ["break", "meal", "no_answer"][n % 3] if states[n % 7] == "not_ready" else "",
            "unreachable": n == 13,
            "page_lost_ms": None,
            "call": talk(n, now) if states[n % 7] == "talking" else None,
        }
        for n in range(agents)
    ]
    return {
        "depth": waiting,
        "callbacks": callbacks,
        "longest_wait_s": 17 + 15 * waiting if waiting else 0,
        "waiting": [
            {
                "position": n + 1,
                "call_id": f"hotline1-9.{n}",
                "number_masked": f"139****{5678 + n}",
                "language": ["zh", "yue", "en"][n % 3],
                "waited_s": 17 + 15 * (waiting - n),
            }
            for n in range(waiting)
        ],
        "agents": people,
        "help": [],
        "alerts": [],
        "by_state": {state: sum(one["state"] == state for one in people) for state in set(states)},
        "answered_in_15s": {"num": 1180, "den": 1300, "rate": 1180 / 1300},
        "connect_24h": {"num": 1288, "den": 1402, "rate": 1288 / 1402},
        "foretold_24h": {"num": 312, "den": 371, "rate": 312 / 371, "error_s": 24},
        "as_of_ms": now,
    }


def talk(n: int, now: int) -> Json:
    """The talk of the n-th agent."""
    return {
        "call_id": f"hotline1-8.{n}",
        "since_ms": now - 1000 * (17 + 61 * n),
        "held": n % 7 == 2,
        "paused": False,
        "help_ms": None,
        "language": "zh",
        "overseen": None,
    }


def demo(now: int) -> Json:
    """A small simulated city."""
    return {
        "citizens": [
            {"number": "13800000001", "language": "zh", "state": "menu", "since_ms": now - 4000},
            {"number": "13800000002", "language": "yue", "state": "waiting", "since_ms": now - 21000},
            {"number": "13800000003", "language": "en", "state": "talking", "since_ms": now - 61000},
        ],
        "agents": [
            {"agent_id": "1001", "name": "王小丽", "state": "talking", "since_ms": now - 61000},
            {"agent_id": "1002", "name": "陈晓", "state": "ready", "since_ms": now - 9000},
        ],
        "events": [
            {"at_ms": now - 4000, "text_zh": "138 0000 0001 拨打了 12345", "text_en": "138 0000 0001 dialled 12345"},
            {"at_ms": now - 61000, "text_zh": "1001 接听", "text_en": "1001 answered"},
        ],
        "running": True,
    }
