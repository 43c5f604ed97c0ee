"""Every setting of one instance: its ports, folders, numbers and limits.

Values come from the environment (`HOTLINE_<NAME>`), else from `$HOTLINE_HOME/hotline.toml`, else from the defaults
here, which make a working instance on one machine. Lists are JSON in the environment.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from email.utils import parseaddr
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from app import destinations
from app.hours.model import minutes
from app.nodes import Node, check_nodes, host_and_port, node_name
from app.workdays.model import parse_office_hours

REPO = Path(__file__).resolve().parent.parent
PREFIX = "HOTLINE_"

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Paths:
    """Where an instance keeps what it writes; all of it below its home."""

    home: Path

    @property
    def asterisk(self) -> Path:
        """Asterisk's own tree: etc/ lib/ spool/ log/ run/."""
        return self.home / "asterisk"

    @property
    def recordings(self) -> Path:
        """Stored recordings, YYYY/MM/DD."""
        return self.home / "recordings"

    @property
    def voicemail_spool(self) -> Path:
        """Voicemails that Asterisk wrote and the backend has not taken in yet."""
        return self.home / "spool/voicemail"

    @property
    def fax_spool(self) -> Path:
        """Faxes that Asterisk received and the backend has not taken in yet."""
        return self.home / "spool/fax"

    @property
    def campaign_spool(self) -> Path:
        """How calls of campaigns ended, as Asterisk wrote it down, until it is in the database."""
        return self.home / "spool/campaign"

    @property
    def campaigns(self) -> Path:
        """What is said in the calls of campaigns, one folder each."""
        return self.home / "campaigns"

    @property
    def record_spool(self) -> Path:
        """Legs of recordings while Asterisk writes them."""
        return self.home / "spool/record"

    @property
    def audit_spool(self) -> Path:
        """Calls of number audits that have ended, with their sound, until the backend has taken them in."""
        return self.home / "spool/audit"

    @property
    def call_spool(self) -> Path:
        """How calls ended, as Asterisk wrote it down, until the backend has it in the database."""
        return self.home / "spool/call"

    @property
    def prompts(self) -> Path:
        """Spoken prompts, <language>/<prompt id>.wav, 8 kHz 16-bit mono."""
        return self.home / "prompts"

    @property
    def studio(self) -> Path:
        """Recordings by a speaker that take the place of prompts of the same name."""
        return self.home / "studio"

    @property
    def music(self) -> Path:
        """Music on hold."""
        return self.home / "music"

    @property
    def journal(self) -> Path:
        """The queue engine's journal of events and decisions."""
        return self.home / "journal"

    @property
    def secrets(self) -> Path:
        """Passwords and keys, readable by the owner alone."""
        return self.home / "secrets"

    @property
    def queues(self) -> Path:
        """The rules of the queues, if the supervisors keep their own (see `app.queues`)."""
        return self.home / "queues.yaml"

    @property
    def letters(self) -> Path:
        """An office's own templates of documents, if it has any (see `app.letters`)."""
        return self.home / "letters"

    @property
    def logs(self) -> Path:
        """Logs of the supervised processes."""
        return self.home / "log"

    @property
    def run(self) -> Path:
        """Pid files, heartbeats and the supervisor's status."""
        return self.home / "run"

    def all(self) -> list[Path]:
        """Every folder that must exist before a process starts."""
        asterisk = [self.asterisk / part for part in ("etc", "lib", "spool", "log", "run")]
        return [
            self.home,
            *asterisk,
            self.recordings,
            self.voicemail_spool,
            self.fax_spool,
            self.record_spool,
            self.call_spool,
            self.campaign_spool,
            self.campaigns,
            self.audit_spool,
            self.prompts,
            self.studio,
            self.music,
            self.journal,
            self.secrets,
            self.logs,
            self.run,
        ]


class Settings(BaseSettings):
    """One instance's settings; immutable, checked when made. Raises pydantic's ValidationError on nonsense."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)

    home: Path = REPO / "var"
    tools: Path = REPO / ".telephony"
    node: str = "hotline1"  # Asterisk's systemname: the first part of every call id
    timezone: str = "Asia/Shanghai"

    http_host: str = "127.0.0.1"
    http_port: Port = 8000
    sip_host: str = "127.0.0.1"
    sip_port: Port = 5060
    sip_tls_port: Port = 5061
    ws_port: Port = 8088
    wss_port: Port = 8089
    ami_host: str = "127.0.0.1"
    ami_port: Port = 5038
    agi_host: str = "127.0.0.1"
    agi_port: Port = 4573
    rtp_start: Port = 10000
    rtp_end: Port = 11999

    # The hotline's other Asterisk nodes, if it has any: their calls wait in the queue of the same core.
    nodes: list[Node] = []
    core: bool = True  # false: this machine is a further node; Asterisk and voice scripts run here, the core elsewhere
    ami_cores: list[str] = []  # addresses or networks of cores on other machines, who may sign in to the manager line

    main_number: str = "12345"
    fax_number: str = "12340"
    trunk_addresses: list[str] = ["127.0.0.2"]  # addresses or networks that may deliver citizens' calls
    trunk_out: str = ""  # host[:port] that takes outbound calls; "" = none
    # Destinations: kinds of number (mobile, fixed, hongkong, macau, taiwan) or regular expressions, matched whole.
    outbound_allowed: list[str] = list(destinations.ANYBODY)  # what everybody may call
    callback_allowed: list[str] = list(destinations.CALL_BACK)  # where citizens may be called back
    audit_allowed: list[str] = list(
        destinations.AUDIT
    )  # which numbers that units publish are dialled by an audit (暗访)
    audit_caller: str = ""  # the number that audits show; "" = main_number, by which a unit knows who calls
    audit_ring_s: Annotated[int, Field(ge=5, le=90)] = 45  # so long a published number may ring
    audit_listen_s: Annotated[int, Field(ge=2, le=30)] = 6  # … and is listened to before an automatic call lets it go
    # Desk phones that obey NOTIFY with Event: talk, by the beginning of their User-Agent (regular expressions). Others
    # may answer it with 481, which ends the call that rings; so a phone is listed only when it has been tried.
    talk_event_phones: list[str] = []

    database_url: str = ""  # "" = SQLite in home; see `url`
    standby: bool = False  # two cores on one PostgreSQL: one acts, the other takes over when it dies
    opens: str = "08:00"  # HH:MM in `timezone`, every day unless the calendar says otherwise
    closes: str = "22:00"
    office_hours: str = "09:00-12:00,13:00-17:00"  # of working days, for time limits that count working hours only
    # Working days after a first and a second reminder (催办), and after a reprimand (通报), until the next level comes.
    chase_after_days: Annotated[list[Annotated[int, Field(ge=1, le=60)]], Field(min_length=3, max_length=3)] = [2, 2, 3]

    # Notices by e-mail and SMS; both are off until they are set up.
    smtp_host: str = ""
    smtp_port: Port = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"  # none: only to a relay on this machine
    smtp_user: str = ""
    smtp_password_file: str = ""  # a file that only its owner can read
    smtp_from: str = "hotline@localhost"
    sms_url: str = ""  # of a gateway that takes a POST for each message
    sms_body: str = '{"mobile": "{mobile}", "text": "{text}", "id": "{id}"}'  # JSON with these three places
    sms_token_file: str = ""  # sent as a bearer token, if there is one
    survey_sms: bool = False  # who was not asked at the end of a call how satisfied they are is asked by SMS, once

    # Networks of outside systems that are told of calls (`app.pushes`) although they are private, as 10.0.0.0/8.
    push_networks: list[str] = []
    # Certificates (PEM files) that are watched besides the hotline's own, such as a reverse proxy's.
    certificates: list[str] = []

    reopen_days: Annotated[int, Field(ge=0, le=365)] = 30  # after its end a citizen has a case done again by a key
    # Speech recognition by vosk: a folder with a model for each language, as zh = "/srv/vosk-model-small-cn-0.22" (from
    # the home, if it does not begin with /). Nothing is written down in a language without one.
    speech_models: dict[str, str] = {}
    speech: bool = True  # false: nothing is recognised, whatever models there are
    speech_writes: list[Literal["calls", "voicemails"]] = ["calls", "voicemails"]  # what is written down afterwards
    # So many talks at once are written on their agents' pages while they go on; 0: none. Each of them wants a part of a
    # processor, and the models are loaded once more for it.
    speech_live: Annotated[int, Field(ge=0, le=500)] = 0
    # So many callers at once may say what they would press in the voice menu (docs/adr/0032); 0: nobody listens. Keys
    # do the same always. Each of them wants a part of a processor, and the models are loaded once more for it.
    speech_menu: Annotated[int, Field(ge=0, le=500)] = 0
    # A recogniser that takes longer than so many seconds for a second of sound is taken for frozen, and ended.
    speech_limit: Annotated[float, Field(gt=0, le=600)] = 10.0

    quality_appeal_days: Annotated[int, Field(ge=1, le=30)] = 5  # working days in which an agent may appeal
    retention_days: Annotated[int, Field(ge=1)] = 365 * 3

    # Calling out (`app.campaigns`). Nobody is called outside of these hours, whatever a campaign says ("24:00" is the
    # end of the day). `trunk_lines` are the calls at once that the carrier allows, in and out; a share of lines and of
    # agents is kept for citizens who call, and who waits longer than the target stops all campaigns.
    calling_opens: str = "08:00"
    calling_closes: str = "21:00"
    trunk_lines: Annotated[int, Field(ge=1, le=10_000)] = 30
    campaign_lines_kept: Annotated[int, Field(ge=0, le=100)] = 50  # percent
    campaign_agents_kept: Annotated[int, Field(ge=0, le=100)] = 30  # percent
    campaign_wait_target_s: Annotated[int, Field(ge=0)] = 10
    campaign_at_once: Annotated[int, Field(ge=1, le=50)] = 3  # calls that begin within one second
    campaign_answer_s: Annotated[int, Field(ge=1, le=30)] = 6  # for a key after a question
    # Whether a person or a machine has answered (Asterisk's AMD; ms, and the level below which it is quiet). Who has
    # said nothing by `amd_silence_ms` counts as a person. `amd_total_ms` is short because a person must hear within
    # two seconds who calls.
    amd_silence_ms: Annotated[int, Field(ge=200, le=1800)] = 1200
    amd_greeting_ms: Annotated[int, Field(ge=300, le=1800)] = 1100
    amd_after_greeting_ms: Annotated[int, Field(ge=100, le=1800)] = 450
    amd_total_ms: Annotated[int, Field(ge=500, le=1800)] = 1700
    amd_again_ms: Annotated[int, Field(ge=1000, le=8000)] = 3000  # who still speaks, while they hear who calls
    amd_word_ms: Annotated[int, Field(ge=20, le=500)] = 100
    amd_between_words_ms: Annotated[int, Field(ge=20, le=500)] = 60
    amd_words: Annotated[int, Field(ge=1, le=20)] = 4
    amd_quiet: Annotated[int, Field(ge=1, le=32767)] = 256

    offer_timeout_s: Seconds = 20
    wrapup_s: Annotated[int, Field(ge=0)] = 30
    last_agent_hours: Annotated[int, Field(ge=0, le=24 * 365)] = 72  # an earlier talk makes nobody the caller's agent
    callback_attempts: Annotated[int, Field(ge=1, le=20)] = 3  # tries to reach a citizen before a supervisor must look
    # A confidential part of a talk is not recorded for so many seconds unless the agent says for how many; and at most.
    pause_default_s: Seconds = 120
    pause_longest_s: Annotated[int, Field(ge=1, le=3600)] = 300
    oversight_visible: bool = True  # agents see when a supervisor listens (whispering and barging in is heard anyway)
    beat_s: Seconds = 2
    beat_stale_s: Seconds = 8
    max_calls: Annotated[int, Field(ge=1)] = 400
    min_free_mb: Annotated[int, Field(ge=0)] = 500
    # A voice process and a core that have read everything wait to take the place of one that dies; 130 and 160 MB.
    spares: bool = True

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over hotline.toml over defaults; the file is looked for in the home that is in force."""
        given = getattr(init_settings, "init_kwargs", {}).get("home")
        home = Path(given or os.environ.get(f"{PREFIX}HOME") or REPO / "var").expanduser()
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, home / "hotline.toml")

    @field_validator("home", "tools")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("node")
    @classmethod
    def _node_is_a_plain_word(cls, value: str) -> str:
        return node_name(value)

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
            raise ValueError(f"no such time zone: {value}") from error
        return value

    @field_validator("main_number", "fax_number")
    @classmethod
    def _diallable(cls, value: str) -> str:
        if not re.fullmatch(r"\+?[0-9]{2,32}", value):
            raise ValueError("a number consists of 2 to 32 digits, perhaps after a +")
        return value

    @field_validator("audit_caller")
    @classmethod
    def _shown(cls, value: str) -> str:
        return cls._diallable(value) if value else value

    @field_validator("trunk_addresses", "ami_cores", "push_networks")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for address in value:
            ip_network(address, strict=False)
        return value

    @field_validator("trunk_out")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        return host_and_port(value, "trunk_out") if value else value

    @field_validator("opens", "closes")
    @classmethod
    def _time_of_day(cls, value: str) -> str:
        if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
            raise ValueError("a time of day is written HH:MM, 00:00 to 23:59")
        return value

    @field_validator("calling_opens", "calling_closes")
    @classmethod
    def _minute_of_the_day(cls, value: str) -> str:
        minutes(value)
        return value

    @field_validator("office_hours")
    @classmethod
    def _spans_of_a_day(cls, value: str) -> str:
        parse_office_hours(value)
        return value

    @field_validator("outbound_allowed", "callback_allowed", "audit_allowed")
    @classmethod
    def _destinations(cls, value: list[str]) -> list[str]:
        destinations.expression(value)
        return value

    @field_validator("sms_body")
    @classmethod
    def _message(cls, value: str) -> str:
        try:
            json.loads(value)
        except ValueError as error:
            raise ValueError(f"sms_body must be JSON ({error})") from error
        if "{mobile}" not in value or "{text}" not in value:
            raise ValueError("sms_body must have the places {mobile} and {text}")
        return value

    @field_validator("sms_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not (re.fullmatch(r"https?://[^/\s]+(/\S*)?", value) and _names_a_server(value)):
            raise ValueError("sms_url is written http(s)://host[:port]/path")
        return value

    @field_validator("smtp_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        if not value.isprintable() or not re.fullmatch(r"[!-?A-~]+@[0-9A-Za-z.-]+", parseaddr(value)[1]):
            raise ValueError("smtp_from is an address, perhaps after a name: 12345 <hotline@example.org>")
        return value

    @field_validator("speech_models")
    @classmethod
    def _a_folder_for_each_language(cls, value: dict[str, str]) -> dict[str, str]:
        for language, folder in value.items():
            if not re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{1,4})?", language):
                raise ValueError(f"not a language as flows name them (zh, yue, en): {language!r}")
            if not folder.strip():
                raise ValueError(f"the model for {language} has no folder")
        return value

    @field_validator("talk_event_phones")
    @classmethod
    def _patterns(cls, value: list[str]) -> list[str]:
        for pattern in value:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"not a regular expression: {pattern!r} ({error})") from error
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if self.rtp_end - self.rtp_start < 3:
            raise ValueError("rtp_end must be at least 3 above rtp_start: every call needs ports of its own")
        if minutes(self.calling_opens) >= minutes(self.calling_closes):
            raise ValueError("calling_closes must be later than calling_opens")
        if self.main_number == self.fax_number:
            raise ValueError("main_number and fax_number must differ")
        if self.beat_stale_s <= self.beat_s:
            raise ValueError("beat_stale_s must be greater than beat_s, else every beat is late")
        if self.pause_default_s > self.pause_longest_s:
            raise ValueError("pause_default_s must not be greater than pause_longest_s")
        if self.standby and not self.url.startswith("postgres"):
            raise ValueError("standby needs a database_url of PostgreSQL: SQLite has no lock that two cores can share")
        if self.smtp_user and not self.smtp_password_file:
            raise ValueError(
                "smtp_user needs smtp_password_file: a file with the password, readable by its owner alone"
            )
        check_nodes(self.node, self.nodes, self.trunk_addresses)
        return self

    @property
    def paths(self) -> Paths:
        """The instance's folders."""
        return Paths(self.home)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of everything that people read."""
        return ZoneInfo(self.timezone)

    @property
    def url(self) -> str:
        """The database to use: `database_url`, or SQLite in the home."""
        return self.database_url or f"sqlite:///{self.home}/hotline.sqlite3"

    @property
    def speech_folders(self) -> dict[str, Path]:
        """The folder of the model for each language that is recognised; {} if none is."""
        if not self.speech:
            return {}
        return {language: self.home / Path(folder).expanduser() for language, folder in self.speech_models.items()}

    def ensure_dirs(self) -> None:
        """Makes every folder; the home and the secrets are closed to others (recordings are personal data)."""
        for folder in self.paths.all():
            folder.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700)
        self.paths.secrets.chmod(0o700)

    def environment(self) -> dict[str, str]:
        """The variables that give a child process exactly these settings, whatever its own surroundings."""
        values = self.model_dump(mode="json")
        out = {}
        for name, value in values.items():
            if isinstance(value, list | dict):
                out[PREFIX + name.upper()] = json.dumps(value)
            else:
                out[PREFIX + name.upper()] = str(value)
        return out


def _names_a_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
