"""panoramisk's protocol with its edges taken off; one object is one session's connection.

Inherited: the life of the transport and the vocabulary (Action, Message). Replaced: reading (whole messages only),
sending (checked, one write), matching answers to actions, and the end of a connection (nothing is sent again later).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

import structlog
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

from cti_bridge.ami.errors import LinkDown
from cti_bridge.ami.wire import NotAmi, Reader, Value, checked_items, encode

log = structlog.get_logger(__name__)


class PendingAction(Action):  # type: ignore[misc]
    """One action and the future of its answer: a Message, or a list of them when Asterisk answers with a list.

    panoramisk guesses from English sentences whether a list follows (and then waits for ever for QueueAdd);
    Asterisk says it in `EventList`.
    """

    def add_message(self, message: Message) -> bool:
        """Take one message that carries our ActionID; whether the answer is now complete."""
        self.responses.append(message)
        first = self.responses[0]
        if len(self.responses) == 1:
            if first.eventlist.lower() == "start":
                return False
            self._settle(first)
            return True
        if message.eventlist.lower() in ("complete", "cancelled"):
            self._settle(self.responses)
            return True
        return False

    @property
    def expects(self) -> str:
        """What can come next: "response" first, then "event" while a list is being read."""
        return "event" if self.responses else "response"

    def _settle(self, result: Message | list[Message]) -> None:
        if not self.future.done():
            self.future.set_result(result)


class HardenedProtocol(AMIProtocol):  # type: ignore[misc]
    """A connection that cannot be brought down by what it reads or by who listens."""

    def __init__(
        self,
        wanted: Collection[str] | None,
        on_event: Callable[[Message], None],
        on_lost: Callable[[HardenedProtocol, Exception | None], None],
    ) -> None:
        self.closed = False
        self.responses: dict[str, PendingAction] = {}
        self._reader = Reader(wanted)
        self._on_event = on_event
        self._on_lost = on_lost
        self.greeted: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.heard = asyncio.get_running_loop().time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        super().connection_made(transport)

    def submit(self, fields: Mapping[str, Value]) -> PendingAction:
        """Write one action; its `.future` gives the answer. Raises UnsafeValue (nothing written) or LinkDown."""
        return self.submit_all([fields])[0]

    def submit_all(self, actions: Sequence[Mapping[str, Value]]) -> list[PendingAction]:
        """Write several actions in one go: all of them, or none when one is unsafe."""
        checked = [checked_items(fields) for fields in actions]
        if self.closed:
            raise LinkDown("the connection to Asterisk is closed")
        pending = [PendingAction(dict(fields)) for fields in actions]
        for action in pending:
            self.responses[action.id] = action
        pairs = zip(checked, pending, strict=True)
        self.transport.write(b"".join(encode([*items, ("ActionID", action.id)]) for items, action in pairs))
        return pending

    def forget(self, action: PendingAction) -> None:
        """Stop waiting for an answer; when it comes it is thrown away."""
        self.responses.pop(action.id, None)

    def data_received(self, data: bytes) -> None:
        """Called by the loop. Whatever a listener raises stays here."""
        self.heard = asyncio.get_running_loop().time()
        try:
            messages = self._reader.feed(data)
        except NotAmi as error:
            log.error("this is not Asterisk's manager interface", error=str(error))
            self.close()
            return
        if self._reader.banner is not None and not self.greeted.done():
            self.version = self._reader.banner
            self.greeted.set_result(self._reader.banner)
        for message in messages:
            try:
                self.handle_message(message)
            except Exception:
                log.exception("an AMI message could not be handled", event_name=message.event)

    def handle_message(self, message: Message) -> None:
        """Give an answer to its action, anything else to the listener.

        A spontaneous event may carry the id of an action (OriginateResponse does): only an action that is reading
        a list takes events.
        """
        action = self.responses.get(message.actionid) if message.actionid else None
        is_event = "event" in message
        if action is not None and action.expects == ("event" if is_event else "response"):
            if action.add_message(message):
                self.responses.pop(action.id, None)
        elif is_event:
            self._on_event(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop, or by `close`. Every action still open ends with LinkDown."""
        if self.closed:
            return
        self.closed = True
        pending, self.responses = dict(self.responses), {}
        for action in pending.values():
            if not action.future.done():
                action.future.set_exception(LinkDown("the connection to Asterisk was lost before it answered"))
                action.future.exception()  # whoever still waits gets it; nobody waiting is no news
        if not self.greeted.done():
            self.greeted.set_exception(LinkDown("the connection was closed before Asterisk said hello"))
            self.greeted.exception()
        self._on_lost(self, exc)

    def close(self) -> None:
        """End the connection now, without waiting for what is unsent."""
        if not self.closed:
            self.transport.abort()
            self.connection_lost(None)
