"""pytest's door to the peers; loaded with `-p tests.peers.fixtures`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from toolchain import speech

from app.settings import REPO, Settings
from tests.peers.baresip import BaresipPhone
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import PublicNetwork


class Exchange:
    """Our Asterisk and the public network, connected to each other both ways."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.network: PublicNetwork
        self.hotline = AsteriskUnderTest(folder / "home")
        self.network = PublicNetwork(folder / "network", self.hotline.settings)
        # The network's port is known only now, and settings are immutable: made anew with the way out.
        self.hotline.settings = self.hotline.settings.model_copy(update={"trunk_out": self.network.address})

    def start(self) -> None:
        """Starts both; a fresh heartbeat is set, nobody listens as backend yet."""
        # The network first: a trunk that does not answer the first look counts as unreachable for half a minute.
        self.network.start()
        self.hotline.start()
        self.hotline.beat()

    def stop(self) -> None:
        """Ends both."""
        self.network.stop()
        self.hotline.stop()


@pytest.fixture(scope="session")
def speech_model() -> Path:
    """The folder of the tiny Mandarin model; made now if set-up has not made it."""
    return speech.bring_in(REPO, Settings().tools)


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """One pair of Asterisks for a test module; see also the per-test fixtures below."""
    pair = Exchange(tmp_path_factory.mktemp("x"))
    try:
        pair.start()
        yield pair
    finally:
        pair.stop()


@pytest.fixture
def asterisk_under_test(exchange: Exchange) -> Iterator[AsteriskUnderTest]:
    """Our Asterisk with a fresh heartbeat and a backend that nobody has started; no channel is left afterwards."""
    hotline = exchange.hotline
    hotline.beat()
    hotline.backend.stop()
    hotline.backend = type(hotline.backend)(hotline.settings.agi_host, hotline.settings.agi_port)
    yield hotline
    hotline.backend.stop()
    for channel in hotline.manager.channels():
        hotline.manager.send("Hangup", Channel=channel["Channel"])
    hotline.wait_no_channels()


@pytest.fixture
def public_network(exchange: Exchange) -> Iterator[PublicNetwork]:
    """The public network; it knows no number yet and nobody has called it."""
    exchange.network.forget()
    yield exchange.network
    exchange.network.forget()


PhoneMaker = Callable[..., BaresipPhone]


@contextmanager
def desk_phones(folders: pytest.TempPathFactory) -> Iterator[Callable[..., BaresipPhone]]:
    """`make(hotline, "1001", answer="manual")` starts an agent's desk phone and waits until it is reachable there."""
    made: list[BaresipPhone] = []

    def make(hotline: AsteriskUnderTest, agent_id: str, **kind: object) -> BaresipPhone:
        folder = folders.mktemp(f"phone{agent_id}-{len(made) + 1}")
        one = BaresipPhone(folder, hotline.settings, hotline.account(agent_id), hotline.block, **kind)  # type: ignore[arg-type]
        made.append(one)
        one.start()
        hotline.wait_registered(agent_id)
        return one

    try:
        yield make
    finally:
        for one in made:
            one.stop()


@pytest.fixture
def phone(asterisk_under_test: AsteriskUnderTest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoneMaker]:
    """`phone("1001", answer="manual", tone_hz=880)` starts an agent's desk phone and waits until it is reachable."""
    with desk_phones(tmp_path_factory) as make:
        yield partial(make, asterisk_under_test)
