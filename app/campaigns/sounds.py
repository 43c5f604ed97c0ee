"""What the called person hears, as files: who calls and why, the message, the question, and the words after a key.

Texts are spoken by the instance's own voice when a campaign starts; a recording takes the place of the message. The
files stay where they are while the campaign lives, so a call that goes on is not cut by an edit.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from app.audio import RATE, Samples, read_wav, write_wav
from app.campaigns.model import LANGUAGES, Mode
from app.campaigns.tables import Campaign
from app.errors import BadInput
from app.settings import Settings

MOST_BYTES, LONGEST_S = 8_000_000, 180.0
WHO: Mapping[str, str] = {
    "zh": "您好，这里是12345热线，{purpose}。",
    "yue": "你好，呢度係12345熱線，{purpose}。",
    "en": "Hello, this is the 12345 hotline. {purpose}.",
}
KEYS: Mapping[str, str] = {
    "zh": "转人工请按0，结束通话请按9，不再接到这类电话请按8。",
    "yue": "搵人工請按0，結束通話請按9，唔想再收到呢類電話請按8。",
    "en": "For a person, press 0. To end this call, press 9. Not to be called like this again, press 8.",
}
REFUSED: Mapping[str, str] = {
    "zh": "好的，以后不再因这类事项给您打电话。再见。",
    "yue": "好嘅，以後唔會再因為呢類事打畀你。再見。",
    "en": "Very well. We will not call you like this again. Goodbye.",
}
THANKS: Mapping[str, str] = {
    "zh": "谢谢您，再见。",
    "yue": "多謝你，再見。",
    "en": "Thank you. Goodbye.",
}
PUT_THROUGH: Mapping[str, str] = {
    "zh": "正在为您接通工作人员，请稍候。",
    "yue": "正在幫你接通工作人員，請等等。",
    "en": "We are connecting you to a person. One moment, please.",
}


def folder(settings: Settings, campaign_id: int) -> Path:
    """Where a campaign's sounds lie."""
    return settings.paths.campaigns / str(campaign_id)


def words_of(row: Campaign, language: str) -> dict[str, str]:
    """Part → what is said in it; without those that the campaign does not have."""
    told = row.texts[language]
    words = {
        "who": WHO[language].format(purpose=told["purpose"].rstrip("。.!！")),
        "keys": KEYS[language],
        "refused": REFUSED[language],
        "thanks": THANKS[language],
        "through": PUT_THROUGH[language],
    }
    if row.mode == Mode.lines.value:
        words |= {part: told[part] for part in ("message", "question") if told[part]}
    return words


def make_sounds(settings: Settings, row: Campaign, speak: Callable[[str, str], Path]) -> dict[str, Any]:
    """Language → part → file below the home, for every language of the campaign. Raises Refused (speech_failed)."""
    place = folder(settings, row.id or 0)
    place.mkdir(parents=True, exist_ok=True)
    made: dict[str, dict[str, str]] = {}
    for language in row.texts:
        parts = {part: speak(words, language) for part, words in words_of(row, language).items()}
        if language in row.recordings:
            parts["message"] = settings.home / str(row.recordings[language])
        made[language] = {part: _kept(settings, file, place) for part, file in parts.items()}
    return made


def _kept(settings: Settings, file: Path, place: Path) -> str:
    """A copy that nobody clears away, named by what it holds; as a path below the home."""
    kept = place / file.name
    if kept != file and not kept.exists():
        half = kept.with_suffix(".half")
        shutil.copyfile(file, half)
        half.replace(kept)
    return str(kept.relative_to(settings.home))


def take_recording(settings: Settings, campaign_id: int, language: str, version: int, data: bytes) -> str:
    """A recording that takes the place of the message; its path below the home.

    Raises BadInput for what is no WAV of up to three minutes, or has nothing in it.
    """
    if language not in LANGUAGES:
        raise BadInput(fields={"language": "没有这种语言 (no such language)"})
    if len(data) > MOST_BYTES:
        raise BadInput(fields={"file": "文件过大，最长三分钟 (too large: three minutes at most)"})
    place = folder(settings, campaign_id)
    place.mkdir(parents=True, exist_ok=True)
    given, kept = place / f"{language}-{version}.given", place / f"recording-{language}-{version}.wav"
    given.write_bytes(data)
    try:
        sound = read_wav(given)
        if not 0.5 <= sound.duration_s <= LONGEST_S:
            raise BadInput(fields={"file": "录音须为半秒到三分钟 (from half a second to three minutes)"})
        half = kept.with_suffix(".half")
        write_wav(half, _telephone(sound.samples, sound.rate), RATE)
        half.replace(kept)
    finally:
        given.unlink(missing_ok=True)
    return str(kept.relative_to(settings.home))


def _telephone(samples: Samples, rate: int) -> Samples:
    """The same at the telephone's rate; whatever lies above its band is left out."""
    if rate == RATE:
        return samples
    length = max(1, round(len(samples) * RATE / rate))
    spectrum = np.fft.rfft(samples.astype(np.float64))
    there = np.zeros(length // 2 + 1, np.complex128)
    common = min(len(spectrum), len(there))
    there[:common] = spectrum[:common]
    made = np.fft.irfft(there, length) * (length / len(samples))
    return np.clip(np.round(made), -32768, 32767).astype(np.int16)
