"""Which hour is it for the hotline, and is this window open? Pure arithmetic on epoch ms and a zone offset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from acd.config import HourRule, QueueConfig, Window

_DAY_MIN = 1_440
_MINUTE_MS = 60_000


def local_minute(now_ms: int, offset_min: int) -> tuple[int, int]:
    """Weekday (1 is Monday) and minute after midnight on the hotline's clock."""
    minutes = now_ms // _MINUTE_MS + offset_min
    days, minute = divmod(minutes, _DAY_MIN)
    return (days + 3) % 7 + 1, minute  # 1970-01-01 was a Thursday


def is_open(window: Window, now_ms: int, offset_min: int) -> bool:
    """Does this moment lie within the window?"""
    weekday, minute = local_minute(now_ms, offset_min)
    begin, end = window.from_minute, window.to_minute
    began_today = minute >= begin and (minute < end or end <= begin)
    began_yesterday = end <= begin and minute < end
    if not window.weekdays:
        return began_today or began_yesterday
    yesterday = (weekday + 5) % 7 + 1
    return (began_today and weekday in window.weekdays) or (began_yesterday and yesterday in window.weekdays)


def any_open(windows: Iterable[Window], now_ms: int, offset_min: int) -> bool:
    return any(is_open(window, now_ms, offset_min) for window in windows)


def next_change(windows: Sequence[Window], now_ms: int, offset_min: int) -> int | None:
    """The next moment at which one of the windows may open or close (epoch ms), at most a day away; None without any.

    It may turn out that nothing changes there (another weekday): whoever waits for it asks again.
    """
    if not windows:
        return None
    day_ms = _DAY_MIN * _MINUTE_MS
    shift = offset_min * _MINUTE_MS
    midnight = (now_ms + shift) // day_ms * day_ms - shift
    edges = {minute % _DAY_MIN for window in windows for minute in (window.from_minute, window.to_minute)} | {0}
    times = (midnight + day * day_ms + edge * _MINUTE_MS for day in (0, 1) for edge in edges)
    return min(time for time in times if time > now_ms)


def limits_at(config: QueueConfig, now_ms: int, offset_min: int) -> QueueConfig | HourRule:
    """Whose overflow limits hold now: those of the first hour rule whose window it is, or the queue's own."""
    for rule in config.hours:
        if is_open(rule.window, now_ms, offset_min):
            return rule
    return config
