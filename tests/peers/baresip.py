"""An agent's desk phone for tests: baresip, a real SIP telephone without a screen, driven over its control port.

It says a tone from the moment it is connected and records both directions.
"""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from pathlib import Path

from app.settings import Settings
from app.tools import baresip_modules, tool
from asterisk_conf.instance import PhoneAccount
from tests.peers import audio
from tests.peers.ports import PortBlock
from tests.peers.waiting import wait_until

ADDRESS = "127.0.0.1"
TONE_S = 300


class BaresipPhone:
    """Registers as `account`'s desk phone. `answer="auto"` picks up at once, "manual" rings until `pick_up()`.

    `transport` is udp, tcp or tls. Sound files: `heard_files()` what came in, `said_files()` what went out.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        account: PhoneAccount,
        block: PortBlock,
        answer: str = "auto",
        tone_hz: int = 880,
        codec: str = "PCMA/8000/1",
        transport: str = "udp",
    ) -> None:
        self.folder, self.settings, self.account = folder, settings, account
        self.answer, self.tone_hz, self.codec, self.transport = answer, tone_hz, codec, transport
        self.sip_port, self.control_port, self.rtp_port = block.take_phone()
        self.events: list[dict[str, str]] = []
        self._news = threading.Condition()
        self.child: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    def start(self) -> BaresipPhone:
        """Starts the telephone and waits until it is registered."""
        self._write()
        with (self.folder / "output").open("ab") as output:
            self.child = subprocess.Popen(
                [*tool("baresip", self.settings), "-4", "-f", str(self.folder)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder,
            )  # fmt: skip
        self._line = wait_until(self._connect, 8, "baresip's control port")
        threading.Thread(target=self._read, name=f"baresip-{self.account.agent_id}", daemon=True).start()
        wait_until(lambda: b"200 OK" in (self.folder / "output").read_bytes(), 8, "baresip registered")
        return self

    def stop(self) -> None:
        """Says goodbye to the registrar and ends."""
        if self.child and self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(4)
            except subprocess.TimeoutExpired:
                self.child.kill()
        self._close()

    def kill(self) -> None:
        """Pulls the plug: no BYE, no farewell to the registrar."""
        if self.child and self.child.poll() is None:
            self.child.kill()
        self._close()

    def pick_up(self) -> None:
        """Answers the call that rings."""
        self.command("accept")

    def reject(self) -> None:
        """Refuses the call that rings (486 busy)."""
        self.command("hangup")

    def hang_up(self) -> None:
        """Ends the talk."""
        self.command("hangup")

    def dial(self, number: str) -> None:
        """Dials a number."""
        self.command("dial", number)

    def press(self, digits: str) -> None:
        """Presses keys in a talk."""
        for digit in digits:
            self.command("sndcode", digit)

    def wait_ringing(self, timeout: float = 10.0, after: int = 0) -> dict[str, str]:
        """Until it rings."""
        return self.wait_event("CALL_INCOMING", timeout, after)

    def wait_talking(self, timeout: float = 15.0, after: int = 0) -> dict[str, str]:
        """Until it is connected."""
        return self.wait_event("CALL_ESTABLISHED", timeout, after)

    def wait_idle(self, timeout: float = 10.0, after: int = 0) -> dict[str, str]:
        """Until the call is over."""
        return self.wait_event("CALL_CLOSED", timeout, after)

    def mark(self) -> int:
        """A place in the stream of events."""
        with self._news:
            return len(self.events)

    def wait_event(self, kind: str, timeout: float, after: int = 0) -> dict[str, str]:
        """The first event of that type since `after`."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                for event in self.events[after:]:
                    if event.get("type") == kind:
                        return event
                left = deadline - time.monotonic()
                if left <= 0:
                    seen = [event.get("type") for event in self.events[-12:]]
                    raise AssertionError(f"phone {self.account.agent_id}: no {kind} within {timeout:g} s; saw {seen}")
                self._news.wait(left)

    def command(self, name: str, params: str = "") -> None:
        """Sends a command of baresip's own."""
        assert self._line is not None
        text = json.dumps({"command": name, "params": params, "token": "t"})
        self._line.sendall(f"{len(text)}:{text},".encode())

    def heard_files(self) -> list[Path]:
        """What this telephone heard, one file per talk, oldest first."""
        return sorted(self.folder.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime)

    def said_files(self) -> list[Path]:
        """What this telephone said, one file per talk, oldest first."""
        return sorted(self.folder.glob("dump-*-enc.wav"), key=lambda path: path.stat().st_mtime)

    def wait_hears(self, hz: float, timeout: float = 10.0, last: float = 0.6) -> None:
        """Until the tone is what it hears right now."""

        def look() -> bool:
            files = self.heard_files()
            return bool(files) and audio.has_tone(files[-1], hz, -last)

        wait_until(look, timeout, f"phone {self.account.agent_id} hears {hz:g} Hz", every=0.15)

    def _connect(self) -> socket.socket | None:
        try:
            return socket.create_connection((ADDRESS, self.control_port), timeout=1)
        except OSError:
            return None

    def _close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _read(self) -> None:
        line, buffer = self._line, b""
        assert line is not None
        line.settimeout(None)
        while True:
            try:
                part = line.recv(65536)
            except OSError:
                return
            if not part:
                return
            buffer += part
            while (colon := buffer.find(b":")) > 0 and buffer[:colon].isdigit():
                length = int(buffer[:colon])
                if len(buffer) < colon + length + 2:
                    break
                message = json.loads(buffer[colon + 1 : colon + 1 + length])
                buffer = buffer[colon + length + 2 :]
                if message.get("event"):
                    with self._news:
                        self.events.append(message)
                        self._news.notify_all()

    def _write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        tone = audio.write_tone(self.folder / "tone.wav", self.tone_hz, TONE_S)
        s, a = self.settings, self.account
        port = s.sip_tls_port if self.transport == "tls" else s.sip_port
        (self.folder / "accounts").write_text(
            f"<sip:{a.agent_id}@{s.sip_host}:{port};transport={self.transport}>;auth_pass={a.secret};"
            f"answermode={self.answer};audio_codecs={self.codec};regint=60\n"
        )
        (self.folder / "contacts").write_text("")
        modules = ["account.so", "menu.so", "ctrl_tcp.so", "g711.so", "aufile.so", "aubridge.so", "sndfile.so"]
        (self.folder / "config").write_text(
            f"poll_method epoll\nsip_listen {ADDRESS}:{self.sip_port}\nsip_verify_server no\n"
            f"call_local_timeout 120\ncall_max_calls 4\naudio_path {self.folder}\n"
            f"audio_source aufile,{tone}\naudio_player aubridge,nobody\naudio_alert aubridge,nobody\n"
            f"ausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\n"
            f"audio_buffer 20-160\nrtp_ports {self.rtp_port}-{self.rtp_port + 7}\nrtcp_mux no\n"
            f"jitter_buffer_type fixed\njitter_buffer_delay 1-5\nrtp_timeout 0\nnet_interface {ADDRESS}\n"
            f"ctrl_tcp_listen {ADDRESS}:{self.control_port}\nsnd_path {self.folder}\n"
            f"module_path {baresip_modules(s)}\n"
            + "".join(f"module {m}\n" for m in modules if m not in ("account.so", "menu.so", "ctrl_tcp.so"))
            + "module_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n"
        )
