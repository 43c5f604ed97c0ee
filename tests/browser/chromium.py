"""Chromium as tests, benches and drills start it, and a microphone that says a tone."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
"""No flag lets it play sound without a gesture: as in life."""
MICROPHONE_RATE = 48_000
TONES = (440, 500, 700, 880, 950)
"""What tests have people say, in hertz."""


def with_microphone(sound: Path) -> list[str]:
    """Flags for a Chromium that hears this file instead of a microphone. It trusts the exchange's self-signed
    certificate, as one does that has a real one."""
    return [
        *FLAGS,
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}",
        "--disable-features=WebRtcHideLocalIpsWithMdns",
        "--ignore-certificate-errors",
    ]


def microphone(path: Path, hz: int) -> Path:
    """What Chromium hears instead of a microphone: half a minute of a tone, again and again."""
    at = np.arange(30 * MICROPHONE_RATE) / MICROPHONE_RATE
    samples = (0.25 * 32767 * np.sin(2 * np.pi * hz * at)).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(MICROPHONE_RATE)
        out.writeframes(samples.tobytes())
    return path


WATCH_SOUND = f"""
  const analysers = []
  const play = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject')
  Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {{
    get: play.get,
    set(stream) {{
      if (stream) {{
        const context = new AudioContext({{ sampleRate: 8000, latencyHint: 'playback' }})
        const analyser = context.createAnalyser()
        analyser.fftSize = 2048
        context.createMediaStreamSource(stream).connect(analyser)
        analysers.push(analyser)
      }}
      play.set.call(this, stream)
    }},
  }})
  window.heardTones = () => {{
    const analyser = analysers.at(-1)
    if (!analyser) return []
    const levels = new Float32Array(analyser.frequencyBinCount)
    analyser.getFloatFrequencyData(levels)
    const at = (hertz) => levels[Math.round(hertz * analyser.fftSize / analyser.context.sampleRate)]
    return {list(TONES)}.filter((hertz) => at(hertz) > -60).sort((one, other) => at(other) - at(one))
  }}
"""
"""The page tells which of the tests' tones come out of its loudspeaker, the loudest first."""
