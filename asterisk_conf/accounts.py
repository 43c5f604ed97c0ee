"""Which phones may register: the input of the rendered telephone accounts, checked before it meets a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.settings import Settings

AGENT_ID = re.compile(r"[0-9]{2,8}")
SECRET = re.compile(r"[A-Za-z0-9_.~+/=-]{8,128}")


class BadAccount(ValueError):
    """A telephone account that cannot be written into the configuration; the text says which and why."""


@dataclass(frozen=True)
class PhoneAccount:
    """One agent's telephones: desk phone `<agent_id>` and browser phone `<agent_id>w` share one secret.

    `agent_id` is the staff number (工号), 2 to 8 digits. `may_dial_out` permits any destination; without it only the
    destinations of `settings.outbound_allowed` can be dialled.
    """

    agent_id: str
    secret: str
    name: str
    may_dial_out: bool

    @property
    def shown_name(self) -> str:
        """The name with everything taken out that has a meaning in a SIP header or an Asterisk file."""
        return re.sub(r"[\x00-\x1f\x7f\"'\\;<>\[\]{}$,|&^`]", "", self.name).strip()[:40]


@dataclass(frozen=True)
class RenderExtra:
    """What some installations need beyond the settings.

    `external_address`: the address that the trunk sees when Asterisk stands behind NAT; `local_networks`: CIDRs that
    are not behind it. `trunk_codecs` and `phone_codecs` are orders of preference; each call uses the first that both
    sides know, one codec per line.
    """

    external_address: str = ""
    local_networks: tuple[str, ...] = ()
    trunk_codecs: tuple[str, ...] = ("alaw", "ulaw")
    phone_codecs: tuple[str, ...] = ("alaw", "ulaw")
    browser_codecs: tuple[str, ...] = ("opus", "alaw", "ulaw")


def checked(settings: Settings, agents: Sequence[PhoneAccount]) -> list[PhoneAccount]:
    """The accounts in order of staff number. Raises BadAccount for one that is malformed or given twice."""
    seen: set[str] = set()
    for account in agents:
        if not AGENT_ID.fullmatch(account.agent_id):
            raise BadAccount(f"staff number {account.agent_id!r}: 2 to 8 digits are needed")
        if account.agent_id in (settings.main_number, settings.fax_number):
            raise BadAccount(f"staff number {account.agent_id} is one of the hotline's own numbers")
        if account.agent_id in seen:
            raise BadAccount(f"staff number {account.agent_id} is given twice")
        if not SECRET.fullmatch(account.secret):
            raise BadAccount(f"the secret of {account.agent_id}: 8 to 128 letters, digits or _.~+/=- are needed")
        seen.add(account.agent_id)
    return sorted(agents, key=lambda account: (len(account.agent_id), account.agent_id))
