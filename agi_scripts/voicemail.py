"""Leaving a message (T10): after the tone, hear it back, record it anew, keep it; the caller hears the case number.

The sound and its sidecar are forced to the disk before the caller is told that the message is kept; only then is the
domain asked to make a case of it. If the domain does not answer in time, the spool keeps the message and the caller is
told that it will be seen to.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from ivr import audio, spoken

from .conversation import Conversation
from .errors import AgiFailure, Hangup
from .guarded import Guarded
from .keeping import NotKept, force, spool_file, write_forced
from .safe_agi import SafeAgi
from .services import Receipt
from .shared import call_variables, language_of, sounds_of

log = structlog.get_logger(__name__)

SILENCE_S = 6
"""So much silence ends a recording."""
FIRST_LOOK_S = 8
"""So long a stretch of recording is, until the line has shown that it sends sound without a break."""
SHORTEST_S = 1.0
TAKES = 5
"""How often a caller may record anew."""
EMPTY_TAKES = 3
KEEP, HEAR, AGAIN = "1", "2", "3"


@dataclass(frozen=True)
class Take:
    """One recording: how it ended (dtmf, silence, timeout, hangup, error) and how it sounds."""

    ended: str
    level: audio.Level

    @property
    def status(self) -> str:
        """complete, hangup (the caller ended the message by hanging up), silent or empty."""
        if self.level.seconds < SHORTEST_S:
            return "empty"
        if self.level.silent:
            return "silent"
        return "hangup" if self.ended == "hangup" else "complete"

    @property
    def usable(self) -> bool:
        """True if somebody is heard on it."""
        return self.status in ("complete", "hangup")


def voicemail(agi: SafeAgi, services: Guarded) -> None:
    """Records, keeps and acknowledges a message. Raises Hangup once everything that was said is kept."""
    facts = call_variables(agi, "LANG", "NUMBER", "LINE")
    conversation = Conversation(agi, sounds_of(services.setup), language_of(services.setup, facts["LANG"]))
    message = Message(agi, services, conversation, facts)
    try:
        kept = message.lead()
    except AgiFailure as failure:
        # Hung up, or the connection to Asterisk broke: what has been recorded is kept all the same.
        if message.keep(ending=isinstance(failure, Hangup)):
            message.announce()
        raise
    if kept:
        message.acknowledge()
    agi.set_variables(HOTLINE_DONE=1)


class Message:
    """One caller's message on its way into the spool."""

    def __init__(self, agi: SafeAgi, services: Guarded, conversation: Conversation, facts: dict[str, str]) -> None:
        self.agi = agi
        self.services = services
        self.conversation = conversation
        self.facts = facts
        self.started = services.now()
        self.sound = spool_file(services.setup.voicemail_spool, agi.call, ".wav")
        self.sidecar = self.sound.with_suffix(".json")
        self.previous = self.sound.with_suffix(".previous")
        self.take: Take | None = None
        self.kept = False
        self.receipt: Receipt | None = None

    def lead(self) -> bool:
        """Leads through the recording; True if a message has been kept. Raises Hangup."""
        empty = 0
        for _ in range(TAKES):
            self._record()
            if self.take is None or not self.take.usable:
                empty += 1
                if empty >= EMPTY_TAKES:
                    break
                self.conversation.say("voicemail_empty")
                continue
            if self._review() != AGAIN:
                return self._keep_or_apologise()
        if self.take is not None and self.take.usable:
            return self._keep_or_apologise()
        self.keep()
        self.conversation.say("voicemail_not_kept", "goodbye")
        return False

    def keep(self, ending: bool = False) -> bool:
        """Forces the latest take and its sidecar to the disk, then offers it to the domain. Never raises; idempotent.

        `ending`: the caller hung up, so nothing more will be said.
        """
        if self.kept:
            return True
        try:
            self._settle()
            if self.take is None:
                return False
            force(self.sound)
            write_forced(self.sidecar, self._sidecar())
            self.previous.unlink(missing_ok=True)
        except (NotKept, OSError) as error:
            log.error("message not kept", call=self.agi.call, error=str(error))
            return False
        self.kept = True
        self.receipt = self.services.take_voicemail(self.sidecar)
        log.info(
            "message kept",
            call=self.agi.call,
            status=self.take.status,
            seconds=round(self.take.level.seconds, 1),
            case=self.receipt.case_number if self.receipt else "",
            hung_up=ending,
        )
        return True

    def acknowledge(self) -> None:
        """Tells the caller the case number, or that the message is kept; then what is known goes to the dialplan."""
        number = self.receipt.case_number if self.receipt else ""
        if number:
            self.agi.set_variables(HOTLINE_CASE=number)
        self.announce()
        if not number:
            self.conversation.say("voicemail_will_handle", "thanks_goodbye")
            return
        sentence = ("voicemail_case_number", *spoken.case_number(number))
        key, _ = self.conversation.ask(("voicemail_kept", *sentence, "pause", "voicemail_again"), 1, 3000)
        for _ in range(3):
            if key != "1":
                break
            key, _ = self.conversation.ask((*sentence, "pause", "voicemail_again"), 1, 3000)
        self.conversation.say("thanks_goodbye")

    def _record(self) -> None:
        """One take. The one before stays until the new one is better than nothing."""
        self._put_aside()
        self.conversation.ahead = ""
        self.conversation.say("record_after_tone", "beep")
        self.take = None
        ended = self._take_down()
        self.take = Take(ended, _measure(self.sound))
        if ended == "hangup":
            raise Hangup("the caller has hung up")
        if ended == "error":
            log.error("recording failed", call=self.agi.call)

    def _take_down(self) -> str:
        """Records until #, silence, a hang-up or the time limit; how it ended.

        Asterisk hears silence only in sound that comes, and some lines send none: a dead microphone, a gateway that
        leaves silence out. So it is recorded in stretches, and a stretch that brought nothing was silence. A line
        that filled a whole stretch sends without a break: there the rest is one stretch.
        """
        left, taken, stretch = self.services.setup.longest_message_s, 0, FIRST_LOOK_S
        while True:
            wanted = min(stretch, left)
            ended = self.agi.record(str(self.sound.with_suffix("")), wanted, SILENCE_S, append=taken > 0)
            left -= wanted
            whole = _samples(self.sound)
            came_s = (whole - taken) / audio.RATE
            if ended != "timeout" or left <= 0 or came_s < SHORTEST_S:
                return ended
            taken = whole
            if came_s > wanted - SHORTEST_S:
                stretch = left

    def _review(self) -> str:
        said: tuple[str, ...] = ("voicemail_review",)
        for _ in range(6):
            key = self.conversation.choose(said, KEEP + HEAR + AGAIN, "wrong_key", timeout_ms=5000)
            if key != HEAR:
                return key
            said = (str(self.sound.with_suffix("")), "pause", "voicemail_review")
        return KEEP

    def _keep_or_apologise(self) -> bool:
        if self.keep():
            return True
        self.conversation.say("voicemail_failed", "goodbye")
        return False

    def _put_aside(self) -> None:
        if self.take is not None and self.take.usable:
            try:
                os.replace(self.sound, self.previous)
            except OSError as error:
                log.warning("earlier take not put aside", call=self.agi.call, error=str(error))

    def _settle(self) -> None:
        """Chooses what counts: the latest take, or the one before it if nobody is heard on the latest."""
        latest = Take(self.take.ended if self.take else "hangup", _measure(self.sound))
        if not latest.usable and self.previous.exists():
            os.replace(self.previous, self.sound)
            latest = Take("complete", _measure(self.sound))
        self.take = latest if self.sound.exists() else None

    def _sidecar(self) -> dict[str, object]:
        assert self.take is not None
        return {
            "kind": "voicemail",
            "call": self.agi.call,
            "number": self.facts["NUMBER"] or self.agi.number,
            "line": self.facts["LINE"],
            "lang": self.conversation.language,
            "started": _epoch_ms(self.started),
            "status": self.take.status,
            "duration": round(self.take.level.seconds),
        }

    def announce(self) -> None:
        """Raises the event of a kept message, also for a caller who has gone; a lost event loses nothing."""
        if self.take is None:
            return
        with contextlib.suppress(AgiFailure):
            self.agi.user_event(
                "HotlineVoicemail",
                Call=self.agi.call,
                File=self.sound,
                Duration=round(self.take.level.seconds),
                Status=self.take.status,
            )


def _measure(sound: Path) -> audio.Level:
    """How the recording sounds; one that can't be read is as good as empty."""
    try:
        return audio.measure(audio.read(sound))
    except audio.AudioError:
        return audio.measure(audio.silence(0))


def _samples(sound: Path) -> int:
    """How many samples the file has so far."""
    try:
        return max(0, sound.stat().st_size - audio.WAV_HEADER) // 2
    except OSError:
        return 0


def _epoch_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
