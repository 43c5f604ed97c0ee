"""Messages and faxes: what the caller is told is kept is on the disk, whoever hangs up or breaks at whatever moment."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from agi_scripts import keeping, voicemail
from agi_scripts.errors import Hangup
from agi_scripts.guarded import Guarded
from agi_scripts.keeping import NotKept, spool_file, write_forced
from agi_scripts.memory_services import MemoryServices
from agi_scripts.scripts import SCRIPTS
from agi_scripts.services import VoiceSetup
from ivr import audio
from tests.unit.agi_fake_asterisk import CALL, HANG_UP, NUMBER, Broken, FakeAsterisk, Speaks, split_options, write_tone

KEEP, HEAR, AGAIN = "1", "2", "3"
VARIABLES = {"HOTLINE_LANG": "zh", "HOTLINE_NUMBER": NUMBER, "HOTLINE_LINE": "12345"}
NUMBERS = ("digit", "pause", "voicemail")


class Spool:
    """A spool folder, and messages left in it."""

    def __init__(self, folder: Path) -> None:
        home = folder / "home"
        self.folder = folder / "spool"
        for wanted in (home / "prompts/zh", self.folder):
            wanted.mkdir(parents=True)
        for prompt in (
            "record_after_tone beep voicemail_review voicemail_empty voicemail_kept voicemail_case_number "
            "voicemail_again voicemail_will_handle thanks_goodbye voicemail_not_kept voicemail_failed goodbye "
            "wrong_key pause"
        ).split():
            write_tone(home / f"prompts/zh/{prompt}.wav", 0.01)
        for digit in range(10):
            write_tone(home / f"prompts/zh/digit_{digit}.wav", 0.01)
        self.services = MemoryServices(VoiceSetup(home, lambda name: name, self.folder, self.folder, deadline_s=0.3))
        self.raised: BaseException | None = None

    def leave(self, *moves: Any, script: str = "voicemail", **options: Any) -> FakeAsterisk:
        asterisk = FakeAsterisk(moves, variables=dict(VARIABLES), **options)
        self.raised = asterisk.run(SCRIPTS[script], Guarded(self.services))
        return asterisk

    @property
    def sound(self) -> Path:
        return self.folder / f"{CALL}.wav"

    @property
    def sidecar(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / f"{CALL}.json").read_text()))

    @property
    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path)


def said(asterisk: FakeAsterisk) -> str:
    return " ".join(Path(file).name for file in asterisk.played)


def seconds(path: Path) -> float:
    return audio.measure(audio.read(path)).seconds


def test_a_message_is_recorded_kept_and_becomes_a_case_whose_number_is_told(spool: Spool) -> None:
    asterisk = spool.leave(Speaks(3), KEEP, "")
    assert spool.raised is None
    assert seconds(spool.sound) == 3
    assert spool.sidecar | {"started": 0} == {
        "kind": "voicemail", "call": CALL, "number": NUMBER, "line": "12345", "lang": "zh", "started": 0,
        "status": "complete", "duration": 3,
    }  # fmt: skip
    assert asterisk.variables["HOTLINE_CASE"] == spool.services._numbers[CALL]
    assert asterisk.variables["HOTLINE_DONE"] == "1"
    assert asterisk.events == [
        {"UserEvent": "HotlineVoicemail", "Call": CALL, "File": str(spool.sound), "Duration": "3", "Status": "complete"}
    ]
    assert spool.names == {f"{CALL}.wav", f"{CALL}.json"}


def recordings(asterisk: FakeAsterisk) -> list[tuple[str, str]]:
    """Time limit (s) and options of every recording."""
    made = [split_options(command[2]) for command in asterisk.commands if command[:2] == ["EXEC", "Record"]]
    return [(options[2], options[3]) for options in made]


def test_a_line_that_sends_no_sound_is_not_recorded_to_the_limit(spool: Spool) -> None:
    nothing = Speaks(0, "timeout")
    asterisk = spool.leave(nothing, nothing, nothing)
    assert recordings(asterisk) == [("8", "kq")] * voicemail.EMPTY_TAKES
    assert spool.sidecar["status"] == "empty"
    assert asterisk.variables["HOTLINE_DONE"] == "1", "the script itself said goodbye"


def test_whoever_speaks_on_is_recorded_in_one_more_stretch_up_to_the_limit(spool: Spool) -> None:
    asterisk = spool.leave(Speaks(8, "timeout"), Speaks(172, "timeout"), KEEP, "")
    assert recordings(asterisk) == [("8", "kq"), ("172", "akq")]
    assert (seconds(spool.sound), spool.sidecar["status"]) == (180, "complete")


def test_pauses_on_a_line_that_leaves_silence_out_end_nothing_until_one_is_long(spool: Spool) -> None:
    """Four seconds of sound in eight are a slow speaker; eight seconds without any are the end."""
    asterisk = spool.leave(Speaks(4, "timeout"), Speaks(3, "timeout"), Speaks(0, "timeout"), KEEP, "")
    assert recordings(asterisk) == [("8", "kq"), ("8", "akq"), ("8", "akq")]
    assert (seconds(spool.sound), spool.sidecar["status"]) == (7, "complete")


def test_silence_within_a_stretch_ends_the_message(spool: Spool) -> None:
    asterisk = spool.leave(Speaks(2, "silence"), KEEP, "")
    assert recordings(asterisk) == [("8", "kq")]
    assert spool.sidecar["status"] == "complete"


def test_sound_sidecar_and_folder_are_on_the_disk_before_the_domain_or_the_caller_hears_of_them(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    real_force, real_write = keeping.force, keeping.write_forced
    real_fsync, real_replace = os.fsync, os.replace

    def force(path: Path) -> None:
        order.append(f"force {path.name}")
        real_force(path)

    def write(path: Path, facts: Any) -> None:
        real_write(path, facts)
        order.append(f"sidecar {path.name}")

    monkeypatch.setattr(voicemail, "force", force)
    monkeypatch.setattr(voicemail, "write_forced", write)
    monkeypatch.setattr(keeping, "force", force)
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("fsync"), real_fsync(handle))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("rename"), real_replace(a, b))[1])
    spool.services.before = lambda name: order.append(name)
    spool.leave(Speaks(3), KEEP, "")
    assert order[order.index(f"force {CALL}.wav") : order.index("take_voicemail") + 1] == [
        f"force {CALL}.wav", "fsync",  # the sound
        "fsync", "rename",  # the sidecar's bytes, then its name
        f"force {spool.folder.name}", "fsync",  # the folder
        f"sidecar {CALL}.json",
        "take_voicemail",
    ]  # fmt: skip


def test_a_message_can_be_heard_and_recorded_anew(spool: Spool) -> None:
    asterisk = spool.leave(Speaks(2), HEAR, AGAIN, Speaks(4), HEAR, KEEP, "")
    assert seconds(spool.sound) == 4
    assert len(recordings(asterisk)) == 2
    assert spool.names == {f"{CALL}.wav", f"{CALL}.json"}


def test_the_number_can_be_heard_again(spool: Spool) -> None:
    asterisk = spool.leave(Speaks(3), KEEP, "1", "1", "")
    assert said(asterisk).count("passing-") >= 3


def test_hanging_up_after_speaking_keeps_the_message(spool: Spool) -> None:
    spool.leave(Speaks(5, "hangup"))
    assert isinstance(spool.raised, Hangup)
    assert spool.sidecar["status"] == "hangup"
    assert spool.sidecar["duration"] == 5
    assert spool.services.voicemails


def test_an_asterisk_that_still_listens_is_told_of_a_message_whose_caller_has_gone(spool: Spool) -> None:
    asterisk = spool.leave(Speaks(5, "hangup"), exits_on_hangup=False)
    assert asterisk.events[0]["Status"] == "hangup"


@pytest.mark.parametrize("position", range(5, 11))
def test_hanging_up_at_any_point_after_the_recording_keeps_the_message(spool: Spool, position: int) -> None:
    spool.leave(Speaks(3), HEAR, KEEP, "1", "", hang_up_at=position)
    assert isinstance(spool.raised, Hangup) or position > 8
    assert spool.sidecar["status"] == "complete"
    assert len(spool.services.voicemails) == 1


def test_hanging_up_before_it_is_told_how_the_recording_ended_keeps_the_message(spool: Spool) -> None:
    spool.leave(Speaks(3), hang_up_at=4)
    assert spool.sidecar["status"] == "hangup"
    assert len(spool.services.voicemails) == 1


@pytest.mark.parametrize("position", range(1, 4))
def test_hanging_up_before_the_recording_leaves_nothing(spool: Spool, position: int) -> None:
    spool.leave(Speaks(3), hang_up_at=position)
    assert isinstance(spool.raised, Hangup)
    assert not spool.names & {f"{CALL}.json"} or spool.sidecar["status"] == "empty"
    assert not [facts for facts in spool.services.voicemails if facts["status"] != "empty"]


def test_hanging_up_during_a_second_try_that_says_nothing_keeps_the_first(spool: Spool) -> None:
    spool.leave(Speaks(4), AGAIN, Speaks(0, "hangup"))
    assert seconds(spool.sound) == 4
    assert spool.sidecar["status"] == "complete"
    assert spool.names == {f"{CALL}.wav", f"{CALL}.json"}


def test_hanging_up_during_a_second_try_keeps_what_was_said_last(spool: Spool) -> None:
    spool.leave(Speaks(4), AGAIN, Speaks(2, "hangup"))
    assert seconds(spool.sound) == 2
    assert spool.sidecar["status"] == "hangup"


def test_a_connection_that_breaks_in_the_middle_of_speaking_keeps_what_was_said(spool: Spool) -> None:
    spool.leave(Broken())
    assert seconds(spool.sound) == 2
    assert spool.sidecar["status"] == "complete" or spool.sidecar["status"] == "hangup"
    assert spool.services.voicemails


@pytest.mark.parametrize(("speech", "status"), [(Speaks(0.3), "empty"), (Speaks(4, hz=0), "silent")])
def test_a_message_without_a_voice_is_recorded_as_such_and_no_case(spool: Spool, speech: Speaks, status: str) -> None:
    asterisk = spool.leave(speech, speech, speech)
    assert spool.sidecar["status"] == status
    assert "HOTLINE_CASE" not in asterisk.variables
    assert said(asterisk).count("voicemail_empty") == 2
    assert "kept" not in said(asterisk).replace("voicemail_not_kept", "")
    assert asterisk.variables["HOTLINE_DONE"] == "1"


def test_a_caller_who_is_silent_at_first_may_still_speak(spool: Spool) -> None:
    spool.leave(Speaks(0.2), Speaks(3), KEEP, "")
    assert spool.sidecar["status"] == "complete"


def test_a_caller_who_never_is_content_has_the_last_take_kept(spool: Spool) -> None:
    moves: list[Any] = []
    for length in range(2, 2 + voicemail.TAKES):
        moves += [Speaks(length), AGAIN]
    spool.leave(*moves)
    assert seconds(spool.sound) == 1 + voicemail.TAKES
    assert spool.sidecar["status"] == "complete"


def test_silence_at_the_question_keeps_the_message(spool: Spool) -> None:
    spool.leave(Speaks(3), "", "")
    assert spool.sidecar["status"] == "complete"


def test_a_domain_that_is_slow_costs_the_number_not_the_message(spool: Spool) -> None:
    free = threading.Event()
    spool.services.before = lambda name: free.wait(5) and None
    asterisk = spool.leave(Speaks(3), KEEP)
    free.set()
    assert spool.sidecar["status"] == "complete"
    assert "voicemail_will_handle" in said(asterisk) or "joined" in str(asterisk.played)
    assert "HOTLINE_CASE" not in asterisk.variables
    assert asterisk.variables["HOTLINE_DONE"] == "1"


def test_a_domain_that_fails_costs_the_number_not_the_message(spool: Spool) -> None:
    def broken(name: str) -> None:
        raise RuntimeError("database is locked")

    spool.services.before = broken
    asterisk = spool.leave(Speaks(3), KEEP)
    assert spool.sidecar["status"] == "complete"
    assert asterisk.variables["HOTLINE_DONE"] == "1"


def test_a_full_disk_is_not_called_kept(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, facts: Any) -> None:
        raise NotKept("no space left on device")

    monkeypatch.setattr(voicemail, "write_forced", full)
    asterisk = spool.leave(Speaks(3), KEEP, "")
    assert "voicemail_kept" not in said(asterisk)
    assert "voicemail_will_handle" not in said(asterisk)
    assert not spool.services.voicemails
    assert any(file.endswith("voicemail_failed") or "/joined/" in file for file in asterisk.played)


def test_a_call_id_that_names_another_place_is_refused(spool: Spool, tmp_path: Path) -> None:
    for call in ("../x", "", "a/b", "..", ".hidden", "a..b", "x" * 65):
        with pytest.raises(NotKept):
            spool_file(tmp_path, call, ".wav")
    assert spool_file(tmp_path, CALL, ".wav") == tmp_path / f"{CALL}.wav"


def test_a_sidecar_is_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(NotKept, match="No space left"):
        write_forced(tmp_path / "x.json", {"a": 1})
    assert list(tmp_path.iterdir()) == []


# -- fax -------------------------------------------------------------------------------------------------------------


def receive_fax(spool: Spool, status: str = "complete", image: bool = True) -> None:
    """What the dialplan leaves behind before it runs the script."""
    if image:
        (spool.folder / f"{CALL}.tif").write_bytes(b"II*\0" + b"x" * 100)
    facts = {"kind": "fax", "call": CALL, "number": NUMBER, "status": status, "pages": 2, "mode": "T38", "error": ""}
    (spool.folder / f"{CALL}.json").write_text(json.dumps(facts))


def test_a_fax_is_forced_to_the_disk_and_taken_in(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    forced: list[str] = []
    real = keeping.force
    monkeypatch.setattr("agi_scripts.fax_intake.force", lambda path: (forced.append(path.name), real(path))[1])
    receive_fax(spool)
    asterisk = spool.leave(script="fax_intake")
    assert forced == [f"{CALL}.tif", f"{CALL}.json", "spool"]
    assert asterisk.variables["HOTLINE_CASE"]
    assert asterisk.variables["HOTLINE_DONE"] == "1"
    assert spool.services.faxes[0]["pages"] == 2


def test_a_fax_is_taken_in_although_the_sender_has_hung_up(spool: Spool) -> None:
    receive_fax(spool)
    asterisk = spool.leave(script="fax_intake", hang_up_at=1)
    assert spool.services.faxes
    assert spool.raised is None
    assert "HOTLINE_DONE" not in asterisk.variables


def test_a_failed_fax_is_recorded_without_an_image(spool: Spool) -> None:
    receive_fax(spool, "failed", image=False)
    asterisk = spool.leave(script="fax_intake")
    assert spool.services.faxes[0]["status"] == "failed"
    assert "HOTLINE_CASE" not in asterisk.variables
    assert asterisk.variables["HOTLINE_DONE"] == "1"


def test_a_fax_without_sidecar_is_not_called_done(spool: Spool) -> None:
    asterisk = spool.leave(script="fax_intake")
    assert "HOTLINE_DONE" not in asterisk.variables


def test_moves_of_the_fake_are_used_up(spool: Spool) -> None:
    """The fake itself: a caller who is asked more than the test foresaw is silent."""
    asterisk = spool.leave(Speaks(3), HANG_UP)
    assert isinstance(spool.raised, Hangup)
    assert asterisk.dead
