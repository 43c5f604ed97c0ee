"""Our Asterisk in a test: rendered by asterisk_conf into a home of its own, with ports of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.secrets import secret
from app.settings import REPO, Settings
from asterisk_conf import instance
from asterisk_conf.instance import PhoneAccount
from tests.peers import prompts
from tests.peers.agi import StubBackend
from tests.peers.asterisk_process import AsteriskProcess
from tests.peers.manager import Event, Manager
from tests.peers.ports import PortBlock, port_block
from tests.peers.waiting import wait_until

AGENTS = tuple(
    PhoneAccount(f"100{n}", f"secret-of-100{n}-phone", name, may_dial_out=n == 1)
    for n, name in ((1, "张敏"), (2, "李强"), (3, "Wang Fang"), (4, "陈静"))
)


class AsteriskUnderTest:
    """Our Asterisk. `settings` tells its ports and folders, `backend` is the voice process that tests play.

    `start()` renders, starts and signs in on the manager line (`.manager`); `stop()` ends it.
    """

    def __init__(self, home: Path, agents: Sequence[PhoneAccount] = AGENTS, **overrides: Any) -> None:
        self.block: PortBlock = port_block()
        take = self.block.take
        values: dict[str, Any] = {
            "home": home,
            "tools": REPO / ".telephony",
            "node": "test",
            "http_port": take(),
            "sip_port": take(),
            "sip_tls_port": take(),
            "ws_port": take(),
            "wss_port": take(),
            "ami_port": take(),
            "agi_port": take(),
            "rtp_start": self.block.rtp_start,
            "rtp_end": self.block.rtp_end,
            **overrides,
        }
        self.settings = Settings(**values)
        self.agents = tuple(agents)
        self.backend = StubBackend(self.settings.agi_host, self.settings.agi_port)
        self.process: AsteriskProcess | None = None
        self.manager: Manager

    def prepare(self) -> None:
        """Writes configuration, and placeholder prompts where no real ones are."""
        self.settings.ensure_dirs()
        if not any(self.settings.paths.music.glob("*.wav")):
            prompts.make_placeholders(self.settings.paths.prompts, self.settings.paths.music)
        instance.render(self.settings, self.agents)

    def start(self) -> None:
        """Prepares, checks the ports, starts, waits until ready."""
        self.prepare()
        instance.check_ports(self.settings)
        argv, env, cwd = instance.command(self.settings)
        self.process = AsteriskProcess(argv, env, cwd, self.settings.paths.asterisk / "log" / "messages")
        self.process.start()
        instance.ready(self.settings)
        self.connect()

    def connect(self) -> None:
        """Signs in on the manager line, as the core would."""
        self.manager = Manager(self.settings.ami_host, self.settings.ami_port, "hotline", secret(self.settings, "ami"))

    def restart(self) -> None:
        """Ends Asterisk and starts it again with the same configuration."""
        assert self.process is not None
        self.manager.close()
        self.process.stop()
        self.process.start()
        instance.ready(self.settings)
        self.connect()

    def stop(self) -> None:
        """Ends everything and gives the ports back."""
        self.backend.stop()
        if hasattr(self, "manager"):
            self.manager.close()
        if self.process is not None:
            self.process.stop()
        self.block.release()

    def account(self, agent_id: str) -> PhoneAccount:
        """One of the agents' telephone accounts."""
        return next(account for account in self.agents if account.agent_id == agent_id)

    # ---- the core's part, played by the test ---------------------------------------------------------------------

    def beat(self, age_s: int = -3600) -> None:
        """Sets the queue's heartbeat: by default one that stays fresh for an hour; `age_s=60` is a stale one."""
        self.manager.set_variable("", "HOTLINE_BEAT", str(int(time.time()) - age_s))

    def offer(self, channel: str, agent_id: str, endpoint: str = "", offer_id: str = "o1", timeout: int = 20) -> None:
        """Offers a waiting caller to an agent, as the core does."""
        self.redirect(channel, "acd-connect", exten=f"offer*{agent_id}*{endpoint or agent_id}*{timeout}*{offer_id}")

    def redirect(self, channel: str, context: str, extra: str = "", extra_context: str = "", exten: str = "s") -> None:
        """Sends a channel (and its partner) to the start of a context, or to another of its extensions."""
        headers = {"Channel": channel, "Context": context, "Exten": exten, "Priority": "1"}
        if extra:
            headers |= {
                "ExtraChannel": extra,
                "ExtraContext": extra_context,
                "ExtraExten": "s",
                "ExtraPriority": "1",
            }
        self.manager.action("Redirect", **headers)

    def sign_in_failsafe(self, agent_id: str) -> None:
        """Makes an agent a member of Asterisk's own queue."""
        self.manager.action(
            "QueueAdd", Queue="hotline-failsafe", Interface=f"PJSIP/{agent_id}", MemberName=agent_id,
            StateInterface=f"PJSIP/{agent_id}",
        )  # fmt: skip

    # ---- what tests look at --------------------------------------------------------------------------------------

    def wait_call(self, number: str, after: int = 0, timeout: float = 10.0) -> Event:
        """The HotlineStart event of a caller."""
        return self.manager.wait_event("HotlineStart", timeout, after, Number=number)

    def wait_phase(self, channel: str, phase: str, timeout: float = 10.0) -> None:
        """Until the channel's HOTLINE_PHASE is `phase`."""
        wait_until(
            lambda: self.manager.variable(channel, "HOTLINE_PHASE") == phase, timeout, f"{channel} in phase {phase}"
        )

    def wait_context(self, channel: str, context: str, timeout: float = 10.0) -> None:
        """Until the channel runs there: one that is on its way cannot be sent elsewhere."""

        def arrived() -> bool:
            places = {one["Channel"]: one["Context"] for one in self.manager.channels()}
            return places.get(channel, context) == context

        wait_until(arrived, timeout, f"{channel} in {context}")

    def wait_no_channels(self, timeout: float = 8.0) -> None:
        """Until no channel is left."""
        wait_until(lambda: not self.manager.channels(), timeout, "no channel left", every=0.2)

    def wait_gone(self, agent_id: str, after: int = 0, timeout: float = 5.0) -> None:
        """Until a leg of this agent's telephone has ended since `after`, and with it its recording."""

        def gone() -> bool:
            since = self.manager.events[after:]
            return any(e["Event"] == "Hangup" and e["Channel"].startswith(f"PJSIP/{agent_id}-") for e in since)

        wait_until(gone, timeout, f"the end of a leg of {agent_id}")

    def wait_registered(self, agent_id: str, timeout: float = 10.0) -> None:
        """Until an agent's telephone is reachable."""
        wait_until(
            lambda: self.manager.variable("", f"DEVICE_STATE(PJSIP/{agent_id})") == "NOT_INUSE",
            timeout,
            f"telephone {agent_id} reachable",
        )

    def sidecar(self, folder: Path, call: str, timeout: float = 10.0) -> dict[str, Any]:
        """The sidecar of a call's voicemail or fax, once it is complete."""

        def look() -> dict[str, Any] | None:
            try:
                note: dict[str, Any] = json.loads((folder / f"{call}.json").read_text())
            except (OSError, ValueError):
                return None
            return note

        return wait_until(look, timeout, f"sidecar of {call} in {folder}")

    def legs(self, call: str, segment: int = 1) -> tuple[Path, Path]:
        """The two files of a recording: what the citizen said, what the citizen heard."""
        base = self.settings.paths.record_spool / f"{call}-{segment}"
        return base.with_name(base.name + "-r.wav"), base.with_name(base.name + "-t.wav")
