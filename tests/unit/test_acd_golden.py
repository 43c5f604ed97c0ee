"""The same events give the same decisions, also after the engine has been made faster: byte for byte, by kind.

The digests were taken before the change they first guarded. Who changes on purpose what is decided takes them anew
(`python -m tests.acd_kit.long_day` prints them) and says in the change which kinds differ and why; another way of
foretelling waits, for one, may differ in `Announce` and `WaitPredicted` alone.
"""

from __future__ import annotations

import pytest

from acd import journal
from acd.model import Prediction
from tests.acd_kit.long_day import FORETELLING, STEPS, LongDay, digests

DECIDED = {
    "AgentStateChanged": (5_883, "3db7d8de9cb93005"),
    "CallbackOffered": (155, "9abc4d9f9d6e0220"),
    "CallbackResting": (12, "97010f36378137f0"),
    "CancelOffer": (40, "ac4baa1bbf926aad"),
    "DialCitizen": (22, "6947c5f2e1f008f6"),
    "NuisanceRuleChanged": (37, "2bff34205c64c173"),
    "Offer": (1_181, "718534539ed9d9ac"),
    "Overflow": (16, "ae55e52e98f13625"),
    "QueueChanged": (3_538, "d592bc24e8445b3c"),
    "Queued": (2_149, "f5a157c71bf508f8"),
    "Refused": (535, "375f227c9da3a823"),
    "TurnedAway": (20, "07d6d41f0b45a996"),
    "Widened": (555, "f6a9f34b9ce9a095"),
}


FORETOLD = {
    (Prediction.FLOW, 4): {"Announce": (11_169, "2a3c6ba847076af4"), "WaitPredicted": (1_497, "e61e0252e89bbc64")},
    (Prediction.FLOW, 3): {"Announce": (11_169, "503e7b96358b6cb7"), "WaitPredicted": (1_497, "007cb84796ba9261")},
    (Prediction.REMAINING, 4): {"Announce": (11_169, "7843fbf49b80f3bb"), "WaitPredicted": (1_497, "76bdcc45dca32eb8")},
}


def test_every_way_of_foretelling_has_its_digests():
    assert tuple(FORETOLD) == FORETELLING


@pytest.fixture(scope="module", params=FORETELLING)
def day(request: pytest.FixtureRequest) -> LongDay:
    prediction, behaviour = request.param
    day = LongDay(prediction=prediction, behaviour=behaviour)
    day.play(STEPS)
    return day


def test_a_long_day_is_decided_as_it_always_was(day):
    assert digests(day.lines) == DECIDED | FORETOLD[day.config.prediction, day.config.behaviour]


def test_the_long_days_journal_replays_to_the_same_bytes_over_its_restart(day):
    assert sum('"v":4' in line for line in day.lines) == 2
    assert journal.verify(day.lines) is None
