"""The supervisor's loop: one thread that sleeps until a child ends, a deadline comes, or somebody asks it to stop."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from app.supervisor import identity as ids
from app.supervisor import logfiles
from app.supervisor.child import Child, ChildSpec, signal_name
from app.supervisor.model import Effect, Event, State, Timing, pause_before_restart, step

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ROTATE_EVERY_S = 60.0


class Supervisor:
    """Runs `specs` in the order given and stops them in the opposite order, one after the other.

    `say` gets one line for everything a person should know. Must be run in the main thread (signals).
    """

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        run: Path,
        logs: Path,
        timing: Timing | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.timing = timing or Timing()
        self.run_dir = run
        self.logs = logs
        self.say = say
        self.children = [Child(spec, run, logs, self.timing) for spec in specs]
        self._selector = selectors.DefaultSelector()
        self._waker, self._woken = socket.socketpair()
        self._stop_requests = 0
        self._ended = threading.Event()
        self._next_rotation = 0.0

    def run(self, on_started: Callable[[], None] | None = None) -> None:
        """Starts everything and watches over it until SIGINT, SIGTERM or SIGHUP; returns when all children have ended.

        `on_started` is called from a thread of its own after the first start; a second stop signal kills at once.
        """
        self.run_dir.mkdir(parents=True, exist_ok=True)
        self._listen_for_signals()
        try:
            self._settle_inheritance()
            for child in self.children:
                if child.state is State.stopped:
                    self._happen(child, Event.start)
            self._write_status()
            for child in self.children:
                if child.spec.probe:
                    threading.Thread(target=self._probe, args=(child,), name=f"probe {child.name}", daemon=True).start()
            if on_started:
                threading.Thread(target=on_started, name="started", daemon=True).start()
            while not self._stop_requests:
                self._turn()
            self._stop_all()
        finally:
            self._ended.set()
            self._write_status()
            self._stop_listening()

    # -- what was left by an earlier supervisor ------------------------------------------------------------------

    def _settle_inheritance(self) -> None:
        """Adopts what works and may survive; ends everything else that an earlier supervisor has left running."""
        leftovers: list[tuple[Child, ids.Identity]] = []
        for child in self.children:
            found = ids.recall(self.run_dir, child.name)
            if found is None:
                ids.forget(self.run_dir, child.name)
            elif child.spec.survives and (child.spec.probe is None or child.spec.probe()):
                child.adopt(found)
                child.state = State.running
                self._watch_end(child)
                self.say(f"{child.name}: still running from before (process {found.pid}); taken over")
            else:
                self.say(f"{child.name}: left over from before (process {found.pid}); ending it")
                found.send(signal.SIGTERM)
                leftovers.append((child, found))
        deadline = time.monotonic() + max((child.spec.grace_s for child, _ in leftovers), default=0.0)
        for child, found in leftovers:
            while found.is_alive() and time.monotonic() < deadline:
                time.sleep(0.02)
            if found.send(signal.SIGKILL):
                self.say(f"{child.name}: process {found.pid} did not end by itself and was killed")
                while found.is_alive():
                    time.sleep(0.02)
            ids.forget(self.run_dir, child.name)

    # -- one turn of the loop ------------------------------------------------------------------------------------

    def _turn(self) -> None:
        before = time.monotonic()
        wait = self._until_next_deadline(before)
        self._wait(wait)
        now = time.monotonic()
        if (held_up := now - before - wait) > 1.0:
            for child in self.children:
                if child.watch:
                    child.watch.excuse(held_up)
        for child in self.children:
            self._attend(child, now)
            if child.state is State.running:
                self._keep_spare(child, now)
        if now >= self._next_rotation:
            self._next_rotation = now + ROTATE_EVERY_S
            logfiles.rotate_all(self.logs)

    def _attend(self, child: Child, now: float) -> None:
        if child.state in (State.running, State.killed, State.stopping) and child.has_exited():
            self._happen(child, Event.exited)
        elif child.state is State.waiting and now >= child.due:
            self._happen(child, Event.due)
        elif child.state is State.running and child.observe(now):
            child.reason = "frozen: no sign of life" if child.watch and child.watch.changed else "never became ready"
            self.say(f"{child.name}: {child.reason} (process {child.pid}); killing it")
            self._happen(child, Event.frozen)
        elif child.state is State.stopping and now >= child.overdue:
            child.overdue = float("inf")
            self.say(f"{child.name}: has not stopped after {child.spec.grace_s:.0f} s; killing it")
            self._happen(child, Event.overdue)

    def _happen(self, child: Child, event: Event) -> None:
        """Moves `child` along the table and does what the table says."""
        now = time.monotonic()
        if event is Event.exited:
            self._unwatch_end(child)
            child.ended(now)
        child.state, effect = step(child.state, event)
        if effect is Effect.spawn:
            child.restarts += event is Event.due
            self._spawn(child)
        elif effect is Effect.pause:
            pause = pause_before_restart(child.deaths, now, self.timing)
            child.due = now + pause
            when = f"again in {pause:g} s" if pause else "again now"
            self.say(f"{child.name}: {child.last_reason}; starting it {when} (log: {self.logs / child.name}.log)")
        elif effect is Effect.terminate:
            child.reason = "stopped"
            child.overdue = now + child.spec.grace_s
            child.signal(signal.SIGTERM)
            child.signal(signal.SIGCONT)  # one that was halted could not hear it
        elif effect is Effect.kill:
            child.signal(signal.SIGKILL)
        self._write_status()

    def _spawn(self, child: Child) -> None:
        try:
            child.spawn()
        except OSError as error:
            child.last_exit = None
            child.reason = f"could not be started: {error}"
            self._happen(child, Event.exited)
            return
        self._watch_end(child)

    # -- waiting -------------------------------------------------------------------------------------------------

    def _until_next_deadline(self, now: float) -> float:
        wait = self.timing.tick
        for child in self.children:
            if child.state is State.waiting:
                wait = min(wait, child.due - now)
            elif child.state is State.stopping:
                wait = min(wait, child.overdue - now)
        return max(wait, 0.0)

    def _wait(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._woken:
                for number in self._woken.recv(64):
                    self._signalled(number)

    def _signalled(self, number: int) -> None:
        if number in STOP_SIGNALS:
            self._stop_requests += 1
            if self._stop_requests == 1:
                self.say(f"stopping ({signal_name(number)}); once more to stop at once")

    def _watch_end(self, child: Child) -> None:
        if child.watch_fd is not None:
            self._selector.register(child.watch_fd, selectors.EVENT_READ)

    def _unwatch_end(self, child: Child) -> None:
        if child.watch_fd is not None:
            with contextlib.suppress(KeyError):
                self._selector.unregister(child.watch_fd)

    def _listen_for_signals(self) -> None:
        for end in (self._waker, self._woken):
            end.setblocking(False)
        self._old_wakeup = signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        # The handlers only have to exist: what arrives is read from the socket, between two turns.
        wanted = [number for number in STOP_SIGNALS if not self._under_nohup(number)]
        self._old_handlers = {number: signal.signal(number, _noted) for number in (*wanted, signal.SIGCHLD)}
        self._selector.register(self._woken, selectors.EVENT_READ)

    @staticmethod
    def _under_nohup(number: int) -> bool:
        return number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN

    def _stop_listening(self) -> None:
        signal.set_wakeup_fd(self._old_wakeup)
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        self._selector.close()
        self._waker.close()
        self._woken.close()

    # -- the rest ------------------------------------------------------------------------------------------------

    def _probe(self, child: Child) -> None:
        """Asks a child without heartbeats, again and again, whether it works."""
        probe = child.spec.probe
        while probe and not self._ended.wait(self.timing.probe_every):
            if child.state is State.running and probe():
                child.probed += 1

    def _keep_spare(self, child: Child, now: float) -> None:
        before = child.spare_state()
        if problem := child.keep_spare(now):
            self.say(f"{child.name}: {problem}")
        if child.spare_state() != before:
            self._write_status()

    def _stop_all(self) -> None:
        for child in self.children:
            child.drop_spare()
        for child in reversed(self.children):
            self._happen(child, Event.stop)
            while child.state is not State.stopped:
                if self._stop_requests > 1:
                    child.overdue = min(child.overdue, time.monotonic())
                self._wait(self._until_next_deadline(time.monotonic()))
                now = time.monotonic()
                for one in self.children:
                    # The others are only reaped while they wait for their turn; nothing is started any more.
                    if one is child or one.state is not State.running:
                        self._attend_stopping(one, now)

    def _attend_stopping(self, child: Child, now: float) -> None:
        if child.state in (State.killed, State.stopping):
            self._attend(child, now)

    def _write_status(self) -> None:
        now = time.monotonic()
        status = {
            "supervisor": os.getpid(),
            "as_of": time.time(),
            "processes": {child.name: child.status(now) for child in self.children},
        }
        temporary = self.run_dir / f".status.{os.getpid()}.new"
        try:
            temporary.write_text(json.dumps(status, indent=1) + "\n")
            temporary.replace(self.run_dir / "status.json")
        except OSError:
            # A full disk must not end the supervision: calls go on without it.
            return


def _noted(_number: int, _frame: object) -> None:
    return
