"""Speech recognition: are the models there, does each hear a sentence, and does the queue move?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

from app.audio import read_wav
from app.clock import utc_now
from app.db import Database
from app.doctor.model import Finding, broken, ok, warning
from app.errors import HotlineError, Refused
from app.settings import Settings
from app.speech.listener import Listener, Listeners
from app.speech.model import joined
from app.speech.models import fault_of, size_mb
from app.speech.recognizer import NotHeard

DOCTOR = ".venv/bin/hotline speech doctor"
BEHIND = timedelta(hours=6)
SENTENCES = {"zh": "一二三四五", "yue": "一二三四五", "en": "one two three four five"}


def speech(settings: Settings) -> Iterator[Finding]:
    """Every model's folder, without loading it, and the queue."""
    if settings.speech_menu and not settings.speech_folders:
        told = "callers may speak in the menu (speech_menu), but no model understands them"
        yield warning("speech", told, "name its folder in speech_models, or set speech_menu = 0")
    if not settings.speech_models:
        yield ok("speech", "no model is set: nothing is written down (speech_models)")
        return
    if not settings.speech:
        yield ok("speech", "switched off (speech = false)")
        return
    wrong = {language: fault for language, folder in settings.speech_folders.items() if (fault := fault_of(folder))}
    for language, fault in wrong.items():
        yield broken("speech", f"{language}: {fault}", "put the model there, or correct speech_models; then " + DOCTOR)
    if not wrong:
        yield ok("speech", f"a model for {', '.join(sorted(settings.speech_folders))}")
    yield from queue(settings)


def queue(settings: Settings) -> Iterator[Finding]:
    """What waits to be written down, and what was given up."""
    from app.speech import jobs

    if not settings.database_url and not (settings.home / "hotline.sqlite3").exists():
        return
    try:
        with Database(settings.url).read() as session:
            counts, oldest = jobs.counts(session), jobs.oldest_waiting(session)
    except HotlineError:
        return  # the database has a check of its own
    waiting = counts.get("waiting", 0)
    if oldest is not None and utc_now() - oldest > BEHIND:
        hours = (utc_now() - oldest).total_seconds() / 3600
        text = f"{waiting} recordings and messages wait to be written down, the oldest for {hours:.0f} h"
        yield warning("speech", text, "a smaller model, a faster machine, or fewer languages; see make bench-speech")
    if given_up := counts.get("given_up", 0):
        yield warning("speech", f"{given_up} could not be written down", ".venv/bin/hotline speech again")


def heard(settings: Settings) -> Iterator[Finding]:
    """Each model loaded in a process of its own, and a sentence of the voice that ships heard with it."""
    listeners = Listeners(settings)
    try:
        for language, listener in listeners.by_language.items():
            if fault := fault_of(listener.folder):
                yield broken(language, fault, "download a vosk model, unpack it, and name its folder in speech_models")
                continue
            try:
                began = time.monotonic()
                listener.open(8000).drop()
                loaded = time.monotonic() - began
                told = f"{listener.folder.name}, {size_mb(listener.folder)} MB, loaded in {loaded:.1f} s"
                if language not in SENTENCES:
                    yield ok(language, f"{told}; there is no voice to try it with")
                    continue
                text, real_time = _sentence(settings, listeners, language)
            except Refused as why:
                yield warning(language, f"not tried: {why}", "hotline doctor")
                continue
            except NotHeard as why:
                yield broken(language, f"{listener.folder}: {why}", "is it complete? Unpack it again")
                continue
            if unknown := _never_heard(settings, listener):
                yield warning(language, f"the menu's words {unknown} are not in the model", "other words in the flow")
            if text:
                yield ok(language, f"{told}; heard {text!r} in {real_time:.2f} s for each second")
            else:
                yield warning(
                    language, f"{told}; understood nothing of its test sentence", "is it a model for this language?"
                )
    finally:
        listeners.close()


def _never_heard(settings: Settings, listener: Listener) -> str:
    """The words of the voice menu that this model doesn't know, if the menu listens; "" if it knows all."""
    from ivr.commands import commands_at
    from ivr.flow import FlowError, load, path_in

    if not settings.speech_menu:
        return ""
    try:
        flow = load(path_in(settings.home))
    except (FlowError, OSError):
        return ""  # `hotline ivr check` says what is wrong with it
    phrases = {one for node in flow.nodes.values() for one in commands_at(flow, node, listener.language).phrases}
    return "、".join(listener.unknown(sorted({word for phrase in phrases for word in phrase.split()})))


def _sentence(settings: Settings, listeners: Listeners, language: str) -> tuple[str, float]:
    """(what was understood of the test sentence, seconds of work for a second of sound)."""
    from app.prompting import speak

    sound = read_wav(speak(settings, SENTENCES[language], language))
    began = time.monotonic()
    hearing = listeners.open(sound.rate, language)
    said = [*hearing.feed(sound.samples).said, *hearing.finish().said]
    return joined(one.text for one in said), (time.monotonic() - began) / sound.duration_s
