"""The verbs with which the bridge acts on Asterisk: one method per sentence, AMI's spelling only here.

Every method may raise `AmiError`: LinkDown (no session; nothing was done), ActionFailed (Asterisk said no: usually the
channel has just gone), ActionTimeout (unknown).
"""

from __future__ import annotations

import re
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from panoramisk.message import Message

from cti_bridge.ami import ActionFailed, AmiError
from cti_bridge.ami.wire import Value
from cti_bridge.channel_events import FAILSAFE_QUEUE
from cti_bridge.nodes import Line
from cti_bridge.snapshot import VARIABLES

Action = dict[str, Value]

LONGEST_EXTENSION = 79
# A channel's name or unique id. More would be a pattern to Asterisk: "/.*/" hangs everybody up.
_CHANNEL = re.compile(r"([a-z0-9]+:)?([A-Za-z0-9_]+/)?[A-Za-z0-9_.@:;*#+-]+")


def setvar(channel: str, name: str, value: str | int) -> Action:
    """Set a variable of a channel, or a global one when `channel` is ""."""
    action: Action = {"Action": "Setvar", "Variable": name, "Value": value}
    return {**action, "Channel": channel} if channel else action


def redirect(channel: str, context: str, exten: str = "s") -> Action:
    """Send one channel elsewhere in the dialplan."""
    return {"Action": "Redirect", "Channel": channel, "Context": context, "Exten": exten, "Priority": 1}


def redirect_pair(first: str, context: str, second: str, second_context: str) -> Action:
    """Send two channels that talk to each other elsewhere at once, so that neither loses its partner on the way."""
    return {
        **redirect(first, context),
        "ExtraChannel": second,
        "ExtraContext": second_context,
        "ExtraExten": "s",
        "ExtraPriority": 1,
    }


TEMPORARY_FAILURE = 41
"""Q.850: nobody's wish to end the call."""


def hangup(channel: str, cause: int = 16) -> Action:
    """End one channel."""
    return {"Action": "Hangup", "Channel": channel, "Cause": cause}


def mute(channel: str, on: bool) -> Action:
    """Whatever this channel says is heard by nobody, or is again."""
    return {"Action": "MuteAudio", "Channel": channel, "Direction": "in", "State": "on" if on else "off"}


def hush(channel: str, on: bool) -> Action:
    """The recording that this channel carries is silent on both sides, or is sound again; fails without one."""
    return {"Action": "MixMonitorMute", "Channel": channel, "Direction": "both", "State": 1 if on else 0}


def _one_value(value: str) -> str:
    return value.replace(",", "\\,")


async def _went_well(answers: Coroutine[Any, Any, list[Message | AmiError]]) -> None:
    for answer in await answers:
        if isinstance(answer, AmiError):
            raise answer


def _check(actions: Sequence[Action]) -> None:
    for action in actions:
        channel = str(action.get("Channel", ""))
        if channel and action["Action"] != "Originate" and not _CHANNEL.fullmatch(channel):
            raise ActionFailed("check", f"not a channel: {channel!r}")


class Asterisk:
    """See the module's text. With several nodes behind the line, what names no channel is meant for one of them."""

    def __init__(self, link: Line) -> None:
        self.link = link

    async def do(self, *actions: Action) -> None:
        """Do several things in order; raises the first error after all have been answered."""
        await self.begin(*actions)

    def begin(self, *actions: Action) -> Coroutine[Any, Any, None]:
        """Like `do`, for who cannot wait: Asterisk has been asked when this returns; await how it went."""
        _check(actions)
        return _went_well(self.link.write(list(actions)))

    async def each(self, *actions: Action) -> list[AmiError | None]:
        """Do several things in order, whatever becomes of each; what each failed with, None for what went well."""
        _check(actions)
        answers = await self.link.pipeline(list(actions))
        return [answer if isinstance(answer, AmiError) else None for answer in answers]

    async def beat(self, epoch_s: int) -> None:
        """Show the dialplan that the queue's heart beats."""
        await self.do(setvar("", "HOTLINE_BEAT", epoch_s))

    async def announce_core(self, event: str, ident: str) -> None:
        """Tell whoever listens to this Asterisk which core acts."""
        await self.do({"Action": "UserEvent", "UserEvent": event, "Core": ident})

    def offer(
        self, channel: str, *, agent_id: str, endpoint: str, offer_id: str, timeout_s: int
    ) -> Coroutine[Any, Any, None]:
        """Ring an agent's telephone for the caller; Asterisk has been asked when this returns.

        One command, so that no half of an offer is ever left over.
        """
        exten = f"offer*{agent_id}*{endpoint}*{timeout_s}*{offer_id}"
        if len(exten) > LONGEST_EXTENSION:
            raise ActionFailed("check", f"Asterisk would cut the offer short: {exten!r}")
        return self.begin(redirect(channel, "acd-connect", exten))

    async def say(self, channel: str, files: str) -> None:
        """Have the hold loop play these files (joined by &) once."""
        await self.do(setvar(channel, "HOTLINE_SAY", files))

    async def keep_place(self, channel: str, place_ms: int) -> None:
        """Note on the channel the place that its caller was given, so that it outlives us."""
        await self.do(setvar(channel, "HOTLINE_PLACE_MS", place_ms))

    async def originate(
        self,
        channel: str,
        *,
        unique_id: str,
        context: str,
        exten: str,
        caller_id: str,
        variables: Mapping[str, str],
        timeout_s: int = 45,
    ) -> None:
        """Dial somebody; how it went comes as events of the channel `unique_id`. Raises when it cannot even begin."""
        action: Action = {
            "Action": "Originate",
            "Channel": channel,
            "Context": context,
            "Exten": exten,
            "Priority": 1,
            "CallerID": caller_id,
            "ChannelId": unique_id,
            "Timeout": timeout_s * 1000,
            "Async": "true",
            # Each has a header of its own, in which a comma would begin another one.
            "Variable": [f"{name}={_one_value(value)}" for name, value in variables.items()],
        }
        if channel.startswith("Local/"):
            action["OtherChannelId"] = f"{unique_id}x"
        await self.do(action)

    async def user_agents(self, endpoint: str) -> list[str]:
        """What the telephones registered for this endpoint call themselves. Raises AmiError."""
        rows = await self.link.list_action("PJSIPShowEndpoint", Endpoint=endpoint)
        return [str(row.useragent) for row in rows if row.event == "ContactStatusDetail"]

    async def notify_talk(self, channel: str) -> None:
        """Ask a ringing telephone to answer by itself (NOTIFY with Event: talk).

        Only for telephones that know it: the answer 481 of another ends the call that rings.
        """
        await self.do({"Action": "PJSIPNotify", "Channel": channel, "Variable": "Event=talk"})

    async def system_name(self) -> str:
        """What this Asterisk calls itself (systemname), "" if it does not say."""
        (answer,) = await self.link.pipeline([{"Action": "CoreSettings"}])
        if isinstance(answer, AmiError):
            raise answer
        return str(answer.get("SystemName", ""))

    async def status(self) -> list[Message]:
        """All channels with the variables that matter."""
        return await self.link.list_action("Status", Variables=",".join(VARIABLES), timeout=10.0)

    async def devices(self) -> list[Message]:
        """The state of every telephone."""
        return await self.link.list_action("DeviceStateList", timeout=10.0)

    # -- Asterisk's own queue ---------------------------------------------------------------------------------------

    async def failsafe_members(self) -> dict[str, bool]:
        """Interface → paused."""
        rows = await self.link.list_action("QueueStatus", Queue=FAILSAFE_QUEUE)
        return {str(row.location): row.paused == "1" for row in rows if row.event == "QueueMember"}

    async def failsafe_set(self, changes: Mapping[str, tuple[str, bool] | None], known: Mapping[str, bool]) -> None:
        """Interface → (agent, paused), or None to remove. What is so already is no error."""
        actions: list[dict[str, Any]] = []
        for interface, wanted in changes.items():
            base = {"Queue": FAILSAFE_QUEUE, "Interface": interface}
            if wanted is None:
                actions.append({"Action": "QueueRemove", **base})
            elif interface in known:
                actions.append({"Action": "QueuePause", **base, "Paused": "true" if wanted[1] else "false"})
            else:
                paused = "true" if wanted[1] else "false"
                more = {"MemberName": wanted[0], "StateInterface": interface, "Paused": paused}
                actions.append({"Action": "QueueAdd", **base, **more})
        for answer in await self.link.pipeline(actions):
            if isinstance(answer, AmiError) and not isinstance(answer, ActionFailed):
                raise answer
