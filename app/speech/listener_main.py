"""The process that listens: one model, as many hearings as are open, one question at a time until the pipe breaks.

Started by `listener.Listener` with an inherited pipe and the model's folder. It has no settings, no database and no
socket; whatever vosk does to it, only the words of the moment are lost.
"""

from __future__ import annotations

import os
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

from app.speech.model import Utterance, utterance_of, words_of_partial
from app.speech.recognizer import SoFar

NICE = 10  # telephones come first


class Ears:
    """The open hearings of one model, by their numbers."""

    def __init__(self, model: Any, make: Any) -> None:
        self._model, self._make = model, make
        self._open: dict[int, Any] = {}

    def answer(self, question: tuple[Any, ...]) -> Any:
        """What to say to a question: ("open", n, rate, grammar), ("feed", n, bytes), ("finish", n), ("drop", n);
        ("unknown", 0, words) is answered by those that it has never learnt."""
        name, number, *rest = question
        if name == "unknown":
            return [word for word in rest[0] if self._model.vosk_model_find_word(word) < 0]
        if name == "open":
            rate, grammar = rest
            made = self._make(self._model, rate, grammar) if grammar else self._make(self._model, rate)
            made.SetWords(True)
            self._open[number] = made
            return None
        if name == "drop":
            self._open.pop(number, None)
            return None
        if name == "finish":
            # Not used again: vosk would count on from where it ended.
            last = utterance_of(self._open.pop(number).FinalResult())
            return SoFar((last,) if last else ())
        return self._feed(self._open[number], rest[0])

    def _feed(self, ear: Any, sound: bytes) -> SoFar:
        said: list[Utterance] = []
        step = 4000  # a quarter of a second at 8 kHz: the end of a sentence is looked for at every step
        for at in range(0, len(sound), step):
            if ear.AcceptWaveform(sound[at : at + step]) and (one := utterance_of(ear.Result())):
                said.append(one)
        return SoFar(tuple(said), words_of_partial(ear.PartialResult()))


def main(handle: int, folder: str) -> None:
    """Until whoever asks is gone."""
    pipe = Connection(handle)
    os.nice(NICE)
    began = time.monotonic()
    try:
        import vosk

        vosk.SetLogLevel(-1)
        model = vosk.Model(folder)
    except Exception as error:  # vosk raises Exception itself, and the library may be missing
        pipe.send(("bad", type(error).__name__ if str(error) == "" else str(error)[:200]))
        return
    pipe.send(("ready", time.monotonic() - began))
    ears = Ears(model, vosk.KaldiRecognizer)
    try:
        while True:
            pipe.send(ears.answer(pipe.recv()))
    except (EOFError, OSError):
        return


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
