"""The ways out of the house: e-mail by SMTP, SMS by whatever gateway takes a POST. Each is off until it is set up."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from app.notices.model import Channel
from app.outgoing import Away, Refused, code_of, judge
from app.secrets import secret_in
from app.settings import Settings

if TYPE_CHECKING:  # each channel brings what it needs when it is opened; most offices have none
    import smtplib

    import httpx

PATIENCE_S = 5.0


@dataclass(frozen=True)
class Letter:
    """One notice for one person. `ident` is the same at every try, so that a second copy can be known as one."""

    ident: str
    to: str
    subject: str
    text: str


class Port(Protocol):
    """Something that sends letters, one after another, between `open` and `close`."""

    def open(self) -> None:
        """Raises Away."""

    def send(self, letter: Letter) -> None:
        """Raises Away, Refused."""

    def close(self) -> None:
        """Never raises."""


class Smtp:
    """One connection to the office's mail server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server: smtplib.SMTP | None = None

    def open(self) -> None:
        """Connect and sign in. Raises Away."""
        import smtplib
        import ssl

        chosen = self._settings
        try:
            where = (chosen.smtp_host, chosen.smtp_port)
            tls = ssl.create_default_context()
            if chosen.smtp_security == "tls":
                self._server = smtplib.SMTP_SSL(*where, timeout=PATIENCE_S, context=tls)
            else:
                self._server = smtplib.SMTP(*where, timeout=PATIENCE_S)
            if chosen.smtp_security == "starttls":
                self._server.starttls(context=tls)
            if chosen.smtp_user:
                self._server.login(chosen.smtp_user, secret_in(Path(chosen.smtp_password_file)))
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise Away(code_of(error)) from error

    def send(self, letter: Letter) -> None:
        """Raises Away, Refused."""
        import smtplib

        if self._server is None:
            raise Away("closed")
        domain = parseaddr(self._settings.smtp_from)[1].rpartition("@")[2] or "localhost"
        mail = EmailMessage()
        mail["Subject"] = letter.subject
        mail["From"], mail["To"] = self._settings.smtp_from, letter.to
        mail["Date"], mail["Message-ID"] = formatdate(), f"<{letter.ident}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text)
        try:
            self._server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise (Refused if all(code >= 500 for code in codes) else Away)(f"smtp_{codes[0]}") from error
        except smtplib.SMTPResponseException as error:
            raise (Refused if 550 <= error.smtp_code < 560 else Away)(f"smtp_{error.smtp_code}") from error
        except (OSError, smtplib.SMTPException) as error:
            raise Away(code_of(error)) from error

    def close(self) -> None:
        """Say good-bye, if anybody still listens."""
        server, self._server = self._server, None
        if server is not None:
            with suppress(Exception):
                server.quit()


class Sms:
    """The office's SMS gateway: one POST for each message, its JSON as `sms_body` says."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: httpx.Client | None = None

    def open(self) -> None:
        """Raises Away when the token can't be read."""
        import httpx

        headers = {}
        if self._settings.sms_token_file:
            try:
                headers["Authorization"] = f"Bearer {secret_in(Path(self._settings.sms_token_file))}"
            except OSError as error:
                raise Away(code_of(error)) from error
        self._client = httpx.Client(timeout=PATIENCE_S, headers=headers, trust_env=False)

    def send(self, letter: Letter) -> None:
        """Raises Away, Refused."""
        import httpx

        if self._client is None:
            raise Away("closed")
        values = {"mobile": letter.to, "text": letter.text, "id": letter.ident}
        try:
            answer = self._client.post(self._settings.sms_url, json=filled(self._settings.sms_body, values))
        except httpx.HTTPError as error:
            raise Away(code_of(error)) from error
        judge(answer.status_code)

    def close(self) -> None:
        """Done."""
        client, self._client = self._client, None
        if client is not None:
            client.close()


def ports(settings: Settings) -> dict[Channel, Port]:
    """The channels that this office has set up."""
    found: dict[Channel, Port] = {}
    if settings.smtp_host:
        found[Channel.email] = Smtp(settings)
    if settings.sms_url:
        found[Channel.sms] = Sms(settings)
    return found


def filled(template: str, values: dict[str, str]) -> Any:
    """The JSON of `template` with its places filled; a value can never become anything but part of a text."""

    def fill(part: Any) -> Any:
        if isinstance(part, str):  # all at once: what was filled in is not looked through again
            return re.sub(r"\{(\w+)\}", lambda place: values.get(place[1], place[0]), part)
        if isinstance(part, list):
            return [fill(one) for one in part]
        return {name: fill(one) for name, one in part.items()} if isinstance(part, dict) else part

    return fill(json.loads(template))
