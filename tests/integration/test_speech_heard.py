"""The real recogniser, in its own process, with the tiny model: what it hears, and what its death or sleep costs."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agi_scripts.ear import SURE, is_ours
from app.audio import read_wav
from app.cli import speech as command
from app.doctor import speech as doctor
from app.doctor.model import Level
from app.prompting import speak
from app.settings import Settings
from app.speech.listener import Listener, Listeners
from app.speech.model import Samples
from app.speech.recognizer import NotHeard, Trouble
from ivr.catalogue import shipped as shipped_catalogue
from ivr.commands import commands_at
from ivr.flow import shipped
from tests.speech_kit.speaking import RATE, VARIANTS, Teller, bare, digits, hear, text_of, wrong
from tests.speech_kit.words import COMMANDS

WORST_MISSED = 0.2
"""Of what is said in the menu; a key that was not meant is pressed by nothing."""
WORST_DIGITS = 0.05
"""Of the digits that espeak-ng says, at most so many may be heard wrong; people are quite another matter."""


@pytest.fixture(scope="module")
def settings(speech_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = Settings(home=tmp_path_factory.mktemp("home"), speech_models={"zh": str(speech_model)})
    made.ensure_dirs()
    return made


@pytest.fixture(scope="module")
def ears(settings: Settings) -> Iterator[Listeners]:
    made = Listeners(settings)
    yield made
    made.close()


@pytest.fixture(scope="module")
def teller(tmp_path_factory: pytest.TempPathFactory) -> Teller:
    return Teller(tmp_path_factory.mktemp("said"))


def test_spoken_digits_and_commands_are_understood(ears: Listeners, teller: Teller):
    chance = random.Random(12345)
    faults = count = 0
    for n in range(20):
        wanted = digits(chance.choice((4, 8, 11)), chance)
        sound = teller.sound(wanted, VARIANTS[n % len(VARIANTS)], chance.choice((130, 150, 170)))
        faults += wrong(bare(wanted), bare(text_of(hear(ears, sound))))
        count += len(bare(wanted))
    print(f"digits heard wrong: {faults} of {count} ({faults / count:.1%})")
    assert faults / count <= WORST_DIGITS
    missed = [word for word in COMMANDS if text_of(hear(ears, teller.sound(word))) != word]
    assert len(missed) <= 1, missed


def test_words_have_the_times_at_which_they_were_said(ears: Listeners, teller: Teller):
    quiet = np.zeros(2 * RATE, np.int16)
    sound = np.concatenate([quiet, teller.sound("人工"), quiet, teller.sound("投诉")])
    one, two = hear(ears, sound)
    assert (one.text, two.text) == ("人工", "投诉")
    # Half a second of silence is put before each word.
    assert abs(one.start_ms - 2_500) < 150
    assert abs(two.start_ms - (len(sound) - len(teller.sound("投诉"))) / RATE * 1000 - 500) < 150
    assert all(0 < one.confidence <= 1 for one in (one, two))
    assert one.end_ms < two.start_ms


def test_with_a_grammar_nothing_else_is_heard_and_a_bad_one_harms_nobody(ears: Listeners, teller: Teller):
    menu = ("人工", "投诉", "一", "二")
    assert text_of(hear(ears, teller.sound("人工"), menu)) == "人工"
    others = text_of(hear(ears, teller.sound("表扬，确认，取消"), menu))
    assert not {"表扬", "确认", "取消"} & {others[at : at + 2] for at in range(len(others))}
    before = ears.by_language["zh"].pid
    for bad in ([1], ["[unk]"], "人工", [""]):
        with pytest.raises(ValueError):
            ears.open(RATE, "zh", bad)  # type: ignore[arg-type]
    assert text_of(hear(ears, teller.sound("人工"), ("没有的词", "人工"))) == "人工"
    assert ears.by_language["zh"].pid == before


def test_what_may_be_said_in_the_menu_is_understood_and_other_speech_presses_nothing(
    ears: Listeners, teller: Teller, settings: Settings
):
    flow = shipped()
    menu = commands_at(flow, flow.nodes["main"], "zh")

    def pressed(sound: Samples) -> list[str]:
        said = [one for one in hear(ears, sound, menu.phrases) if one.confidence >= SURE]
        return [key for one in said if (key := menu.meant([word.text for word in one.words], more=one.more))]

    known = {"人工": "0", "投诉": "1", "建议": "1", "留言": "3", "一": "1", "二": "2", "九": "9"}
    wrong_keys = missed = 0
    for variant in VARIANTS[::2]:
        for word, key in known.items():
            got = pressed(teller.sound(word, variant))
            wrong_keys += any(one != key for one in got)
            missed += not got
    others = (
        "今天下午小区门口的路灯坏了",
        "我家楼下有人半夜施工吵得很",
        "请问社保卡在哪里能办",
        "公交车等了很久都没有来",
    )
    false = [text for text in others for variant in VARIANTS[::2] if pressed(teller.sound(text, variant))]
    count = len(known) * len(VARIANTS[::2])
    print(
        f"said in the menu: {missed} of {count} missed, {wrong_keys} wrong; pressed by other speech: {len(false)} of 12"
    )
    assert missed / count <= WORST_MISSED
    assert wrong_keys == 0
    assert len(false) <= 1, false
    chance = np.random.default_rng(3)
    for noise in (np.zeros(3 * RATE), chance.normal(0, 300, 3 * RATE), chance.integers(-32768, 32767, 3 * RATE)):
        assert pressed(noise.astype(np.int16)) == []

    assert ears.by_language["zh"].unknown(["人工", "没有的词", "一"]) == ["没有的词"]
    deaf = settings.model_copy(update={"speech_menu": 1, "speech_models": {}})
    assert [one.level for one in doctor.speech(deaf)] == [Level.warning, Level.ok]
    listening = settings.model_copy(update={"speech_menu": 1})
    told = [one for one in doctor.heard(listening) if one.level is Level.warning]
    assert ["政策" in one.text and "人工" not in one.text for one in told] == [True]


def test_the_menu_out_of_a_callers_loudspeaker_presses_nothing(ears: Listeners, settings: Settings):
    flow, catalogue = shipped(), shipped_catalogue()
    menu = commands_at(flow, flow.nodes["main"], "zh")
    text = "".join(catalogue.languages["zh"].prompts[name] for name in ("say_it", "main_menu"))
    sentence = read_wav(speak(settings, text, "zh")).samples
    ours = [word for one in hear(ears, sentence, menu.phrases) for word in one.words]
    assert "人工" in [word.text for word in ours]
    chance = np.random.default_rng(11)
    pressed = 0
    for delay_ms, gain in ((60, 0.5), (250, 0.3), (500, 0.15)):
        echo = np.concatenate([np.zeros(delay_ms * RATE // 1000), sentence * gain])
        echo = (echo + 0.4 * np.roll(echo, 400) + chance.normal(0, 60, len(echo))).astype(np.int16)  # a room
        for one in hear(ears, echo, menu.phrases):
            key = menu.meant([word.text for word in one.words], more=one.more)
            pressed += bool(key) and one.confidence >= SURE
            assert not key or one.confidence < SURE or is_ours(one, 0, ours, len(sentence) * 1000 // RATE), one
    print(f"keys that the echo of the menu would have pressed: {pressed}")


def test_silence_noise_and_shouting_are_no_words_and_ten_minutes_are_no_trouble(ears: Listeners, teller: Teller):
    chance = np.random.default_rng(5)
    assert hear(ears, np.zeros(5 * RATE, np.int16)) == []
    assert hear(ears, np.zeros(0, np.int16)) == []
    hiss = chance.normal(0, 300, 10 * RATE).astype(np.int16)
    assert len(hear(ears, hiss)) <= 1
    shout = np.clip(teller.sound("投诉").astype(np.int32) * 8, -32768, 32767).astype(np.int16)
    assert len(hear(ears, shout)) <= 2
    noise = chance.integers(-32768, 32767, 5 * RATE).astype(np.int16)
    assert len(hear(ears, noise)) <= 5
    long = np.tile(np.concatenate([teller.sound("投诉"), np.zeros(3 * RATE, np.int16)]), 200)[: 600 * RATE]
    said = hear(ears, long)
    assert len(said) > 100
    assert max(one.end_ms for one in said) > 590_000


def test_its_death_costs_what_was_being_heard_and_nothing_else(ears: Listeners, teller: Teller):
    listener = ears.by_language["zh"]
    hearing = listener.open(RATE)
    other = listener.open(RATE)
    hearing.feed(teller.sound("一二"))
    first = listener.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    with pytest.raises(NotHeard) as told:
        hearing.feed(teller.sound("三四"))
    assert told.value.trouble is Trouble.died
    assert told.value.sound_is_to_blame
    for gone in (hearing, other):
        with pytest.raises(NotHeard):
            gone.finish()
    assert text_of(hear(ears, teller.sound("人工"))) == "人工"
    assert listener.pid not in (None, first)


def test_one_that_hangs_is_ended_and_one_that_keeps_dying_rests(speech_model: Path, teller: Teller):
    clock = [100.0]
    listener = Listener("zh", speech_model, limit=0.05, now=lambda: clock[0])
    try:
        hearing = listener.open(RATE)
        assert listener.load_s < 5
        assert listener.pid is not None
        os.kill(listener.pid, signal.SIGSTOP)
        listener_grace, module = 0.3, "app.speech.listener.GRACE_S"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, listener_grace)
            with pytest.raises(NotHeard) as told:
                hearing.feed(np.zeros(RATE, np.int16))
        assert told.value.trouble is Trouble.frozen
        assert listener.pid is None
        listener.open(RATE)
        os.kill(listener.pid or 0, signal.SIGKILL)
        with pytest.raises(NotHeard):
            listener.open(RATE).feed(np.zeros(RATE, np.int16))
        with pytest.raises(NotHeard, match="resting"):
            listener.open(RATE)
        clock[0] += 6
        assert listener.open(RATE).finish().said == ()
    finally:
        listener.close()
    with pytest.raises(NotHeard, match="stopping"):
        listener.open(RATE)


def test_too_many_who_wait_are_sent_away_and_stopping_frees_them(speech_model: Path):
    listener = Listener("zh", speech_model, limit=10)
    hearing = listener.open(RATE)
    assert listener.pid is not None
    os.kill(listener.pid, signal.SIGSTOP)
    troubles: list[Trouble] = []

    def ask() -> None:
        try:
            hearing.feed(np.zeros(RATE, np.int16))
        except NotHeard as why:
            troubles.append(why.trouble)

    threads = [threading.Thread(target=ask) for _ in range(17)]
    for thread in threads:
        thread.start()
    crowded = next(thread for thread in _ended(threads))
    assert crowded in threads
    assert troubles == [Trouble.crowded]
    listener.close()
    for thread in threads:
        thread.join(10)
    assert set(troubles) == {Trouble.crowded, Trouble.stopping}


def _ended(threads: list[threading.Thread]) -> Iterator[threading.Thread]:
    while True:
        for thread in threads:
            thread.join(0.02)
            if not thread.is_alive():
                yield thread


def test_the_doctor_of_speech_speaks_json_and_by_its_exit_status(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for made, status in ((settings, 0), (settings.model_copy(update={"speech_models": {"zh": "nowhere"}}), 2)):
        monkeypatch.setattr(command, "settings", lambda made=made: made)
        assert command.doctor(as_json=True) == status
        told = json.loads(capsys.readouterr().out)  # and nothing besides
        assert told["checks"][0]["check"] == "zh"
        assert told["ok"] == (status == 0)


def test_a_model_that_is_none_is_told_in_words(settings: Settings, speech_model: Path, tmp_path: Path):
    spoilt = tmp_path / "spoilt"
    for name in ("am/final.mdl", "graph/HCLG.fst", "conf/model.conf"):
        (spoilt / name).parent.mkdir(parents=True, exist_ok=True)
        (spoilt / name).write_bytes(b"\0Bnonsense")
    clock = [0.0]
    listener = Listener("zh", spoilt, 10, now=lambda: clock[0])
    for _ in range(2):
        with pytest.raises(NotHeard) as told:
            listener.open(RATE)
        assert told.value.trouble is Trouble.bad_model
    made = settings.model_copy(update={"speech_models": {"zh": str(speech_model), "yue": str(spoilt), "en": "nowhere"}})
    found = {one.check: one for one in doctor.heard(made)}
    assert found["zh"].level is Level.ok, found["zh"].text
    assert "一二三四五" in found["zh"].text
    assert (found["yue"].level, found["en"].level) == (Level.broken, Level.broken)
    assert "is not there" in found["en"].text
    assert [one.level for one in doctor.speech(made)] == [Level.broken]
    assert [one.level for one in doctor.speech(settings)] == [Level.ok]
    for off in ({"speech": False}, {"speech_models": {}}):
        assert [one.level for one in doctor.speech(settings.model_copy(update=off))] == [Level.ok]
