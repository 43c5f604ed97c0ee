"""The configuration of the second Asterisk that plays the public network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from app.settings import Settings
from app.tools import asterisk_dirs
from asterisk_conf.modules import UNUSED
from tests.peers import audio

TONES = (440, 500, 700, 880, 950)
ADDRESS = "127.0.0.2"
AGENTS_ADDRESS = "127.0.0.3"


def write(
    root: Path,
    ours: Settings,
    ports: Mapping[str, int],
    agents: Iterable[tuple[str, str]],
    ami_secret: str,
    further: Iterable[Settings] = (),
) -> None:
    """Writes the tree below `root`. `ports`: sip, agents_sip, ami, agi, rtp_start, rtp_end; `agents`: staff number and
    secret of the agents whose desk phones this Asterisk plays; `further`: other nodes of the hotline, called by name.
    """
    for part in ("etc", "lib/keys", "spool/tmp", "spool/monitor", "spool/fax", "log", "run", "heard"):
        (root / part).mkdir(parents=True, exist_ok=True)
    for hz in TONES:
        audio.write_tone(root / f"tones/{hz}/tone.wav", hz, 60)
    parts = asterisk_dirs(ours)
    files = _files(root, ours, ports, list(agents), ami_secret)
    files["pjsip.conf"] += "".join(_node(node) for node in further)
    for name, text in files.items():
        (root / "etc" / name).write_text(
            text.replace("@MODULES@", str(parts.modules)).replace("@DATA@", str(parts.data))
        )


def _files(
    root: Path, ours: Settings, ports: Mapping[str, int], agents: list[tuple[str, str]], ami_secret: str
) -> dict[str, str]:
    unused = [name for name in UNUSED if name != "res_pjsip_outbound_registration.so"]
    empty = dict.fromkeys(
        ("acl.conf", "pjproject.conf", "stasis.conf", "confbridge.conf", "features.conf", "ccss.conf"), ""
    )
    return {
        **empty,
        "asterisk.conf": f"""[directories]
astetcdir => {root}/etc
astmoddir => @MODULES@
astvarlibdir => {root}/lib
astdbdir => {root}/lib
astkeydir => {root}/lib
astdatadir => @DATA@
astagidir => {root}/lib
astspooldir => {root}/spool
astrundir => {root}/run
astlogdir => {root}/log
astsbindir => {root}/run
[options]
systemname = network
transmit_silence = yes
nocolor = yes
dontwarn = yes
""",
        "modules.conf": "[modules]\nautoload = yes\nnoload = bridge_native_rtp.so\nnoload = app_queue.so\n"
        + "".join(f"noload = {name}\n" for name in unused),
        "logger.conf": "[general]\n[logfiles]\nmessages = notice,warning,error\n",
        "manager.conf": f"""[general]
enabled = yes
bindaddr = 127.0.0.1
port = {ports["ami"]}
[network]
secret = {ami_secret}
read = system,call,user
write = system,call,originate,reporting,command
""",
        "indications.conf": "[general]\ncountry = cn\n[cn]\ndescription = China\nringcadence = 1000,4000\n"
        "dial = 450\nbusy = 450/350,0/350\nring = 450/1000,0/4000\ncongestion = 450/700,0/700\n",
        "cdr.conf": "[general]\nenable = no\n",
        "cel.conf": "[general]\nenable = no\n",
        "rtp.conf": f"[general]\nrtpstart = {ports['rtp_start']}\nrtpend = {ports['rtp_end'] - 60}\n",
        "udptl.conf": f"[general]\nudptlstart = {ports['rtp_end'] - 59}\nudptlend = {ports['rtp_end']}\n",
        "res_fax.conf": "[general]\nmaxrate = 14400\nminrate = 4800\n",
        "musiconhold.conf": "[general]\n"
        + "".join(f"[tone{hz}]\nmode = files\ndirectory = {root}/tones/{hz}\n" for hz in TONES)
        + f"[speech]\nmode = files\ndirectory = {root}/speech\n" * (root / "speech").exists(),
        "pjsip.conf": _pjsip(ours, ports, agents),
        "extensions.conf": f"""[general]
[globals]
[citizen]
exten => s,1,Set(AGIEXITONHANGUP=yes)
 same => n,Set(CHANNEL(hangup_handler_push)=fax-result,s,1)
 same => n,MixMonitor(,r({root}/heard/${{PEER_ID}}.wav))
 same => n,AGI(agi://127.0.0.1:{ports["agi"]}/talk/${{PEER_ID}})
 same => n,Hangup()
[fax-result]
exten => s,1,GotoIf($["${{FAXSTATUS}}" = ""]?none)
 same => n,Set(RESULT=Status: ${{FAXSTATUS}},Error: ${{FAXERROR}},Pages: ${{FAXPAGES}},Mode: ${{FAXMODE}})
 same => n(none),ExecIf($["${{RESULT}}" != ""]?UserEvent(Fax,Peer: ${{PEER_ID}},${{RESULT}}))
 same => n,Return()
[from-hotline]
exten => _[+*#0-9]!,1,AGI(agi://127.0.0.1:{ports["agi"]}/ring/${{EXTEN}})
 same => n,GotoIf($["${{PEER_ID}}" != ""]?citizen,s,1)
 same => n,Hangup(${{PEER_CAUSE}})
""",
    }


def _pjsip(ours: Settings, ports: Mapping[str, int], agents: list[tuple[str, str]]) -> str:
    there = f"{ours.sip_host}:{ours.sip_port}"
    text = f"""[global]
type = global
endpoint_identifier_order = ip
[public]
type = transport
protocol = udp
bind = {ADDRESS}:{ports["sip"]}
[agents]
type = transport
protocol = udp
bind = {AGENTS_ADDRESS}:{ports["agents_sip"]}
"""
    for name, codecs, t38 in (
        ("hotline", "alaw,ulaw", "no"),
        ("hotline-ulaw", "ulaw", "no"),
        ("hotline-t38", "alaw", "yes"),
    ):
        text += f"""[{name}]
type = endpoint
context = from-hotline
transport = public
disallow = all
allow = {codecs}
aors = {name}
direct_media = no
rtp_symmetric = yes
dtmf_mode = rfc4733
send_pai = yes
t38_udptl = {t38}
t38_udptl_ec = redundancy
[{name}]
type = aor
contact = sip:{there}
"""
    text += f"[hotline]\ntype = identify\nendpoint = hotline\nmatch = {ours.sip_host}\n"
    for agent_id, secret in agents:
        text += f"""[agent-{agent_id}]
type = registration
transport = agents
outbound_auth = agent-{agent_id}
server_uri = sip:{there}
client_uri = sip:{agent_id}@{there}
contact_user = {agent_id}
expiration = 120
max_random_initial_delay = 0
retry_interval = 2
[agent-{agent_id}]
type = auth
auth_type = userpass
username = {agent_id}
password = {secret}
"""
    return text


def _node(node: Settings) -> str:
    return f"""[{node.node}]
type = endpoint
context = from-hotline
transport = public
disallow = all
allow = alaw,ulaw
aors = {node.node}
direct_media = no
rtp_symmetric = yes
dtmf_mode = rfc4733
send_pai = yes
[{node.node}]
type = aor
contact = sip:{node.sip_host}:{node.sip_port}
[{node.node}]
type = identify
endpoint = {node.node}
match = {node.sip_host}
"""
