"""Placeholders for the spoken prompts: each prompt is a tone of its own, so a test can measure which one was heard."""

from __future__ import annotations

from pathlib import Path

from tests.peers import audio

LANGUAGES = ("zh", "yue", "en")

# One frequency per prompt, away from each other and from the tones of the talkers (440, 880) and the music (620).
PROMPT_HZ: dict[str, int] = {
    "apology": 1000,
    "all_busy_voicemail": 1100,
    "record_after_tone": 1200,
    "thanks_goodbye": 1300,
    "goodbye": 1400,
    "staff_number": 1500,
    "at_your_service": 1600,
    "you_are_number": 1700,
    "position_suffix": 1800,
    "wait_about": 1900,
    "minutes": 2000,
    "less_than_a_minute": 2100,
    "hold_menu": 2200,
    "callback_registered": 2300,
    "transferring": 2400,
    "transfer_failed": 2500,
    "emergency_notice": 2600,
    "warning_tone": 2700,
    "hold_returning": 2800,
    "recording_notice": 2900,
    "callback_calling": 950,
    "callback_number_ask": 1050,
    "audit_thanks": 1250,
    "callback_number_refused": 1150,
    **{f"digit_{digit}": 3000 + 20 * digit for digit in range(10)},
}
MUSIC_HZ = 620
PROMPT_S = 0.6
DIGIT_S = 0.2


def make_placeholders(prompts: Path, music: Path, seconds: float = PROMPT_S) -> None:
    """Fills the prompt folders and the music folder of a test's home."""
    for language in LANGUAGES:
        for name, hz in PROMPT_HZ.items():
            length = DIGIT_S if name.startswith("digit_") else seconds
            audio.write_tone(prompts / language / f"{name}.wav", hz, length)
    audio.write_tone(music / "music.wav", MUSIC_HZ, 30)
