"""A real call into the main number: greeted, a key pressed, the right sentence heard in return, nobody disturbed.

The call comes from inside Asterisk (a Local channel), so it needs no telephone and no trunk. It walks to a sentence of
the English menu and hangs up there: it never reaches the queue, so no agent's phone rings.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from app.doctor.heard import Samples, is_silent, likeness
from app.doctor.manager import Manager, ManagerError, Message
from app.doctor.model import Finding, broken, ok
from app.settings import Settings

CHECK = "test call"
CALLER = "10000000000"
LISTEN_S = 9
GREETING = ("zh", "greeting")
# What must be heard after the key for English: the menu when people are at work, else the notice that they are not.
ANSWERS = (("en", "main_menu"), ("en", "closed_notice"))
ENGLISH = "3"
KEY_AFTER_S = 3.5
SAME = 0.6


def place(settings: Settings) -> Iterator[Finding]:
    """Places the call and judges it by what was heard."""
    mark = secrets.token_hex(6)
    base = settings.paths.asterisk / "spool" / "tmp" / f"doctor-{mark}"
    base.parent.mkdir(parents=True, exist_ok=True)
    recording = base.with_suffix(".wav")
    try:
        with Manager(settings) as manager:
            yield from _talk(settings, manager, recording, f"doctor-{mark}")
    except (ManagerError, TimeoutError) as error:
        yield broken(CHECK, f"could not be placed: {error}", "see the findings above")
    finally:
        with contextlib.suppress(OSError):
            recording.unlink()


def _talk(settings: Settings, manager: Manager, recording: Path, mark: str) -> Iterator[Finding]:
    began = time.monotonic()
    answer = manager.request(
        "Originate",
        Channel=f"Local/{settings.main_number}@from-trunk/n",
        ChannelId=mark,
        OtherChannelId=f"{mark}-caller",
        Application="Record",
        Data=f"{recording},0,{LISTEN_S},qkx",
        CallerID=f'"hotline doctor" <{CALLER}>',
        Timeout="10000",
        Async="true",
    )
    if answer.get("Response") != "Success":
        yield broken(CHECK, f"Asterisk refused it: {answer.get('Message')}", "see Asterisk's log")
        return
    started = manager.wait_for(lambda event: _is(event, "HotlineStart") and event.get("Number") == CALLER, 10)
    if started is None:
        yield broken(CHECK, "did not reach the hotline's dialplan", f"see {settings.paths.asterisk}/log")
        return
    call = started.get("Call", "")
    failed = manager.wait_for(lambda event: _fails(event, call), KEY_AFTER_S)
    if failed is None:
        manager.request("PlayDTMF", Channel=_channel_of(manager, mark), Digit=ENGLISH)
        failed = manager.wait_for(lambda event: _fails(event, call), LISTEN_S - KEY_AFTER_S - 1)
    with contextlib.suppress(ManagerError):
        manager.request("Hangup", Channel=f"/^Local/{settings.main_number}@from-trunk-.*;1$/")
    manager.wait_for(lambda event: _is(event, "HotlineEnd") and event.get("Call") == call, 5)
    if failed is not None:
        text = f"met the failsafe instead of the menu ({failed.get('Cause')})"
        yield broken(CHECK, text, f"see {settings.paths.logs}/voice.log")
        return
    yield judge(settings.paths.prompts, recording, time.monotonic() - began)


def judge(prompts: Path, recording: Path, seconds: float) -> Finding:
    """What the recording of a test call proves."""
    import soundfile

    def read(file: Path) -> Samples:
        samples: Samples = soundfile.read(file, dtype="float64")[0]
        return samples

    try:
        heard = read(recording)
    except (OSError, soundfile.LibsndfileError) as error:
        return broken(CHECK, f"its recording can't be read: {error}", "see Asterisk's log and the disk")
    if is_silent(heard):
        return broken(CHECK, "was answered, but nothing was heard", "hotline prompts build, then start again")
    match = {}
    for language, prompt in (GREETING, *ANSWERS):
        with contextlib.suppress(OSError, soundfile.LibsndfileError):
            match[prompt] = likeness(heard, read(prompts / language / f"{prompt}.wav"))
    if match.get(GREETING[1], 0) < SAME:
        return broken(CHECK, "was answered, but not with the greeting", "see voice.log; hotline ivr verify")
    if max(match.get(prompt, 0) for _, prompt in ANSWERS) < SAME:
        return broken(CHECK, "heard the greeting, but its key press did nothing", "see voice.log")
    return ok(CHECK, f"greeted, pressed {ENGLISH}, heard the English menu ({seconds:.0f} s)")


def _channel_of(manager: Manager, unique_id: str) -> str:
    """The channel's name for an id that we chose."""
    manager.request("Status")
    found = manager.wait_for(lambda event: event.get("Uniqueid") == unique_id and "Channel" in event, 3)
    if found is None:
        raise ManagerError("the test call has ended by itself")
    return found["Channel"]


def _is(event: Message, name: str) -> bool:
    return event.get("Event") == "UserEvent" and event.get("UserEvent") == name


def _fails(event: Message, call: str) -> bool:
    return _is(event, "HotlineFailsafe") and event.get("Call") == call
