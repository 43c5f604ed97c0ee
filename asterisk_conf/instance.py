"""One instance of Asterisk: its configuration written from the settings, how to start it, and whether it is ready."""

from __future__ import annotations

import hashlib
import os
import re
import resource
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.destinations import BadPattern, Destinations
from app.languages import languages_of
from app.secrets import secret
from app.settings import Settings
from app.tools import asterisk_dirs, tool
from asterisk_conf import staff_numbers
from asterisk_conf.accounts import BadAccount, PhoneAccount, RenderExtra, checked
from asterisk_conf.certificates import certificate
from asterisk_conf.manager_probe import NotReady, wait_ready
from asterisk_conf.modules import EARS, UNUSED
from asterisk_conf.ports import PortTaken, check_ports

__all__ = [
    "BadAccount",
    "BadPattern",
    "BadPlace",
    "NotReady",
    "PhoneAccount",
    "PortTaken",
    "RenderExtra",
    "asterisk_rx",
    "check_ports",
    "command",
    "control_socket",
    "ready",
    "render",
    "render_phones",
]

EAR_SECRET = "ami_ear"
"""With which the voice scripts sign in on the manager line as `hotline-ear` (agi_scripts/keypad.py)."""
TEMPLATES = Path(__file__).parent / "templates"
PHONE_SILENCE_S = 20
FAILSAFE_WAIT_S = 180
VOICEMAIL_MAX_S = 180
VOICEMAIL_SILENCE_S = 8
VOICEMAIL_FIRST_LOOK_S = 10  # longer than the silence that ends a recording
WANTED_FILES = 20_000
# A path in a UNIX socket's address has 108 bytes, and the console adds a suffix of its own.
SOCKET_LIMIT = 100
# These mean something to Asterisk inside a path: they would cut or change the names of recordings.
_UNFIT = re.compile(r"[,;:&|^()\[\]{}$\"'\\<>\x00-\x1f]")


class BadPlace(ValueError):
    """The home folder's name cannot be used by Asterisk; the text says why."""


def render(settings: Settings, agents: Sequence[PhoneAccount], extra: RenderExtra | None = None) -> None:
    """Writes the whole etc/ tree of the instance and makes the folders it names.

    Each file is replaced in one step and readable by the owner alone. Files that are no longer rendered are removed.
    Raises BadAccount, BadPattern or BadPlace for input that must not reach a configuration file.
    """
    if bad := _UNFIT.search(str(settings.home)):
        raise BadPlace(f"{settings.home}: {bad.group()!r} in a folder's name means something to Asterisk")
    settings.ensure_dirs()
    _folders(settings)
    accounts = checked(settings, agents)
    context = _context(settings, accounts, extra or RenderExtra())
    etc = settings.paths.asterisk / "etc"
    written = set()
    for name in sorted(_environment().list_templates(extensions=["j2"])):
        target = etc / name.removesuffix(".j2")
        _write(target, _environment().get_template(name).render(context))
        written.add(target)
    for stale in set(etc.rglob("*.conf")) - written:
        stale.unlink()
    staff_numbers.join_sentences(settings, [account.agent_id for account in accounts])


def render_phones(settings: Settings, agents: Sequence[PhoneAccount], extra: RenderExtra | None = None) -> None:
    """Writes only what depends on the agents: their telephones and the sentences with their staff numbers.

    A running Asterisk takes it over after AMI `Reload` of `res_pjsip.so` or `asterisk_rx(settings, "pjsip reload")`;
    talks are not disturbed. Raises BadAccount.
    """
    accounts = checked(settings, agents)
    name = "pjsip_agents.conf"
    text = _environment().get_template(f"{name}.j2").render(_context(settings, accounts, extra or RenderExtra()))
    _write(settings.paths.asterisk / "etc" / name, text)
    staff_numbers.join_sentences(settings, [account.agent_id for account in accounts])


def command(settings: Settings) -> tuple[list[str], dict[str, str], Path]:
    """(argv, environment, working folder) that run the rendered instance in the foreground; SIGTERM ends it.

    The caller should ask `check_ports(settings)` first. Raises ToolMissing when no Asterisk is set up.
    """
    argv = [*tool("asterisk", settings), "-f", "-C", str(_main_file(settings))]
    keep = {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "TMPDIR") if name in os.environ}
    # Epoch milliseconds are made by two functions of which one reads TZ and the other /etc/localtime: both get UTC.
    return argv, {**keep, "TZ": "UTC"}, settings.paths.asterisk


def ready(settings: Settings, timeout: float = 20.0) -> float:
    """Waits until Asterisk has loaded everything and the manager line works; returns the seconds it took.

    Raises NotReady, with Asterisk's last error lines, when that has not happened within `timeout` seconds.
    """
    return wait_ready(
        settings.ami_host,
        settings.ami_port,
        "hotline",
        secret(settings, "ami"),
        timeout,
        settings.paths.asterisk / "log" / "messages",
    )


def asterisk_rx(settings: Settings, line: str, timeout: float = 10.0) -> str:
    """What the running instance's console answers to `line`. Raises NotReady when there is none to answer."""
    argv = [*tool("asterisk", settings), "-C", str(_main_file(settings)), "-rx", line]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False, errors="replace")
    if done.returncode != 0:
        raise NotReady((done.stdout + done.stderr).strip() or "Asterisk's console does not answer")
    return done.stdout


def control_socket(settings: Settings) -> Path:
    """The running instance's console socket."""
    return _rundir(settings) / "asterisk.ctl"


def _main_file(settings: Settings) -> Path:
    return settings.paths.asterisk / "etc" / "asterisk.conf"


def _rundir(settings: Settings) -> Path:
    own = settings.paths.asterisk / "run"
    if len(str(own / "asterisk.ctl").encode()) <= SOCKET_LIMIT:
        return own
    mark = hashlib.sha256(str(own).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"hotline-{os.getuid()}-{mark}"


def _folders(settings: Settings) -> None:
    root = settings.paths.asterisk
    for part in (
        "etc/dialplan",
        "lib/keys",
        "lib/tls",
        "lib/agi-bin",
        "lib/staff",
        "spool/monitor",
        "spool/fax",
        "spool/voicemail",
        "spool/tmp",
        "spool/recording",
        "spool/outgoing",
        "spool/system",
        "spool/meetme",
        "log/cdr-csv",
    ):
        (root / part).mkdir(parents=True, exist_ok=True)
    rundir = _rundir(settings)
    rundir.mkdir(parents=True, exist_ok=True, mode=0o700)
    if rundir.stat().st_uid != os.getuid():
        raise BadPlace(f"{rundir} belongs to somebody else; choose a shorter home folder")


def _context(settings: Settings, accounts: list[PhoneAccount], extra: RenderExtra) -> dict[str, object]:
    cert, key = certificate(settings)
    udptl_ports = max(4, min(500, (settings.rtp_end - settings.rtp_start) // 5))
    host = settings.sip_host
    bracketed = f"[{host}]" if ":" in host else host
    return {
        "languages": languages_of(settings.home),
        "settings": settings,
        "extra": extra,
        "accounts": accounts,
        "parts": asterisk_dirs(settings),
        "unused": [name for name in UNUSED if not (settings.speech_menu and name in EARS)],
        "root": settings.paths.asterisk,
        "etc": settings.paths.asterisk / "etc",
        "rundir": _rundir(settings),
        "cert": cert,
        "key": key,
        "maxfiles": _open_files(),
        "ami_secret": secret(settings, "ami"),
        "ear_secret": secret(settings, EAR_SECRET),
        "ami_network": _ami_network(settings.ami_host),
        "sip_bind": bracketed,
        "tls_bind": f"{bracketed}:{settings.wss_port}",
        "phone_silence_s": PHONE_SILENCE_S,
        "failsafe_wait_s": FAILSAFE_WAIT_S,
        "voicemail_max_s": VOICEMAIL_MAX_S,
        "voicemail_silence_s": VOICEMAIL_SILENCE_S,
        "voicemail_first_look_s": VOICEMAIL_FIRST_LOOK_S,
        "rtp_start": settings.rtp_start,
        "rtp_end": settings.rtp_end - udptl_ports,
        "udptl_start": settings.rtp_end - udptl_ports + 1,
        "udptl_end": settings.rtp_end,
        "destinations": Destinations.of(settings),
        "staff_folder": staff_numbers.folder(settings),
    }


def _ami_network(host: str) -> str:
    """Who may connect: on a loopback address the machine itself, else only the address that was bound."""
    if host.startswith("127.") or host == "localhost":
        return "127.0.0.0/255.0.0.0"
    if host == "0.0.0.0":
        return "0.0.0.0/0.0.0.0"
    return f"{host}/255.255.255.255"


def _open_files() -> int:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)


def _environment() -> Environment:
    # The templates write configuration files, not pages: nothing is to be escaped for HTML.
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def _write(target: Path, text: str) -> None:
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(aside, target)
