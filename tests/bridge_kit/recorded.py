"""What is kept of a call's sound."""

from __future__ import annotations

from pathlib import Path

from tests.peers import audio
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.waiting import wait_until


def stored(hotline: AsteriskUnderTest, call_id: str, segments: int) -> list[Path]:
    """The call's recordings in the store, in order: the citizen's voice left (0), what they heard right (1)."""

    def look() -> list[Path] | None:
        found = sorted(hotline.settings.paths.recordings.rglob(f"*{call_id}*.wav"))
        return found if len(found) == segments else None

    return wait_until(look, 20, f"{segments} recordings of {call_id} in the store")


def share(recording: Path, channel: int, *tones: int) -> float:
    """How much of the recording has one of these tones on this side, 0 to 1."""
    return sum(audio.tone_seconds(recording, hz, channel=channel) for hz in tones) / audio.duration(recording)


def assert_whole(recording: Path, said: int, *heard: int) -> None:
    """Both sides have sound to the end: the citizen's tone, and that of whoever talked to them (the last at the end).

    Between two rooms both are quiet for a moment.
    """
    assert share(recording, 0, said) > 0.75, f"{recording.name}: the citizen"
    assert share(recording, 1, *heard) > 0.7, f"{recording.name}: the agents"
    assert audio.has_tone(recording, said, -0.5, channel=0), f"{recording.name}: the citizen at the end"
    assert audio.has_tone(recording, heard[-1], -0.5, channel=1), f"{recording.name}: the agent at the end"
