"""What is checked before it meets a configuration file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.destinations import KINDS
from app.nodes import Node
from app.secrets import secret
from app.settings import Settings
from asterisk_conf.accounts import BadAccount, PhoneAccount, checked
from asterisk_conf.instance import render
from asterisk_conf.staff_numbers import folder, join_sentences
from tests.peers import audio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def account(agent_id: str = "1001", secret: str = "long-enough-secret", name: str = "张敏") -> PhoneAccount:
    return PhoneAccount(agent_id, secret, name, may_dial_out=False)


@pytest.mark.parametrize("agent_id", ["", "1", "10a1", "1001\n", "123456789", "12345", "12340", "1001]", "-100"])
def test_a_staff_number_that_is_no_plain_number_is_refused(settings: Settings, agent_id: str) -> None:
    with pytest.raises(BadAccount, match="staff number"):
        checked(settings, [account(agent_id)])


@pytest.mark.parametrize("secret", ["", "short", "with space in it", "semi;colon;colon", "line\nbreak-break"])
def test_a_secret_that_would_change_the_file_is_refused(settings: Settings, secret: str) -> None:
    with pytest.raises(BadAccount, match="secret"):
        checked(settings, [account(secret=secret)])


def test_one_staff_number_cannot_be_two_agents(settings: Settings) -> None:
    with pytest.raises(BadAccount, match="twice"):
        checked(settings, [account(), account(name="李强")])


def test_accounts_are_in_the_order_of_their_numbers(settings: Settings) -> None:
    assert [one.agent_id for one in checked(settings, [account("1010"), account("999"), account("1002")])] == [
        "999",
        "1002",
        "1010",
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("张敏", "张敏"), ('a"b;c\nd<e>', "abcde"), ("${X} [y]\n[trunk]", "X ytrunk"), ("名" * 90, "名" * 40)],
)
def test_a_name_keeps_nothing_that_has_a_meaning_in_the_file(name: str, shown: str) -> None:
    assert account(name=name).shown_name == shown


def test_the_dialplan_is_given_the_lists_of_destinations(settings: Settings) -> None:
    chosen = settings.model_copy(update={"outbound_allowed": ["110", "025[0-9]{8}"], "callback_allowed": ["mobile"]})
    render(chosen, [])
    text = (chosen.paths.asterisk / "etc" / "extensions.conf").read_text()
    assert "HOTLINE_OUTBOUND = ^((110)|(025[0-9]{8}))$\n" in text
    assert f"HOTLINE_CALLBACKS = ^(({KINDS['mobile']}))$\n" in text


def test_the_sentence_with_the_staff_number_is_made_of_its_words_and_made_again_when_one_is_new(
    settings: Settings,
) -> None:
    words = settings.paths.prompts / "zh"
    for name, hz in (("staff_number", 500), ("digit_1", 700), ("digit_0", 900), ("at_your_service", 1100)):
        audio.write_tone(words / f"{name}.wav", hz, 0.4)
    made = join_sentences(settings, ["1001", "2002"])
    sentence = folder(settings) / "zh" / "1001.wav"
    assert made == [sentence], "2002 and the other languages have words missing"
    assert audio.duration(sentence) == pytest.approx(6 * 0.4, abs=0.01)
    assert [audio.has_tone(sentence, hz, at, at + 0.3) for at, hz in ((0.05, 500), (0.45, 700), (0.85, 900))] == [
        True
    ] * 3
    assert join_sentences(settings, ["1001"]) == []
    audio.write_tone(words / "at_your_service.wav", 1300, 0.4)
    assert join_sentences(settings, ["1001"]) == [sentence]
    assert audio.has_tone(sentence, 1300, -0.35)


def test_a_word_in_a_wrong_format_leaves_the_sentence_out(settings: Settings) -> None:
    words = settings.paths.prompts / "zh"
    for name in ("staff_number", "digit_7", "at_your_service"):
        audio.write_tone(words / f"{name}.wav", 500, 0.2)
    (words / "digit_7.wav").write_bytes(b"RIFF nonsense")
    assert join_sentences(settings, ["77"]) == []


def test_a_trunk_line_without_sound_is_not_cut_while_its_caller_may_still_wait_in_the_queue(settings: Settings) -> None:
    """Whoever listens to the music on a gateway that suppresses silence sends nothing: two minutes cut them off."""
    render(settings, [])
    text = (settings.paths.asterisk / "etc" / "pjsip.conf").read_text()
    limit = re.search(r"^rtp_timeout = (\d+)$", text, re.MULTILINE)
    assert limit is not None
    assert int(limit[1]) >= 600


def section(text: str, name: str, kind: str) -> dict[str, str]:
    """The settings of one section of pjsip.conf."""
    for part in re.split(r"^(?=\[)", text, flags=re.MULTILINE):
        lines = dict(line.split(" = ", 1) for line in part.splitlines() if " = " in line)
        if part.startswith(f"[{name}]") and lines.get("type") == kind:
            return lines
    raise AssertionError(f"no {kind} {name}")


def test_the_echo_is_reached_by_browser_phones_only(settings: Settings) -> None:
    render(settings, [account()])
    etc = settings.paths.asterisk / "etc"
    templates = re.split(r"^(?=\[)", (etc / "pjsip_agents.conf").read_text(), flags=re.MULTILINE)
    context = {
        part[1 : part.index("]")]: re.findall(r"^context = (.*)$", part, re.MULTILINE)
        for part in templates
        if part.startswith("[")
    }
    assert (context["agent"], context["desk"], context["browser"]) == (["from-agents"], [], ["from-browser-phones"])
    echo = (etc / "dialplan/echo.conf").read_text()
    assert "include => from-agents" in echo
    others = [
        file for file in (etc / "dialplan").iterdir() if file.name != "echo.conf" and "Echo()" in file.read_text()
    ]
    assert not others


def test_another_node_is_known_by_its_address_and_gets_to_telephones_only(settings: Settings) -> None:
    other = Node(name="hotline2", sip="10.0.0.2:5070")
    render(settings.model_copy(update={"nodes": [other], "ami_cores": ["10.0.0.9"]}), [account()])
    etc = settings.paths.asterisk / "etc"
    pjsip = (etc / "pjsip.conf").read_text()
    assert section(pjsip, "node-hotline2", "identify")["match"] == "10.0.0.2"
    assert section(pjsip, "node-hotline2", "aor")["contact"] == "sip:10.0.0.2:5070"
    endpoint = section(pjsip, "node-hotline2", "endpoint")
    assert (endpoint["context"], endpoint["identify_by"], endpoint["allow_transfer"]) == ("from-node", "ip", "no")
    steps = (etc / "dialplan/nodes.conf").read_text().splitlines()
    entered = [step for step in steps if "Dial(" in step or "Goto(" in step]
    assert len(entered) == 1
    assert "Dial(PJSIP/${HOTLINE_PHONE}," in entered[0]
    assert "permit = 10.0.0.9\n" in (etc / "manager.conf").read_text()
    assert "PJSIP/${ARG1}@node-hotline2&PJSIP/${ARG1}w@node-hotline2" in (etc / "dialplan/outbound.conf").read_text()


def test_without_further_nodes_there_is_no_way_to_or_from_any(settings: Settings) -> None:
    render(settings, [account()])
    etc = settings.paths.asterisk / "etc"
    assert "node-" not in (etc / "pjsip.conf").read_text()
    assert "from-node" not in (etc / "pjsip.conf").read_text()
    assert "@node-" not in (etc / "dialplan/outbound.conf").read_text()


def test_the_menus_ear_has_its_modules_and_a_user_of_its_own_only_where_callers_may_speak(settings: Settings) -> None:
    def written(most: int) -> tuple[str, str, str]:
        render(settings.model_copy(update={"speech_menu": most}), [])
        etc = settings.paths.asterisk / "etc"
        return tuple((etc / name).read_text() for name in ("modules.conf", "manager.conf", "dialplan/ear.conf"))  # type: ignore[return-value]

    modules, manager, dialplan = written(0)
    assert "noload = app_audiosocket.so\n" in modules
    assert "hotline-ear" not in manager
    assert "AudioSocket(" not in dialplan
    modules, manager, dialplan = written(2)
    assert "audiosocket" not in modules.replace("chan_audiosocket.so", "")
    user = manager.partition("[hotline-ear]")[2]
    assert "read = dtmf\nwrite = call,originate\n" in user
    assert "permit = 127.0.0.0/255.0.0.0\n" in user
    assert secret(settings, "ami") not in user
    assert "ChanSpy(${HOTLINE_EAR_OF},quo" in dialplan, "only what the caller says"
