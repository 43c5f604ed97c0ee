"""Telling Asterisk about the agents' telephones after somebody has been added or changed."""

from __future__ import annotations

import structlog

from app.agents.service import phone_accounts
from app.db import Database
from app.settings import Settings

log = structlog.get_logger(__name__)


def publish(settings: Settings, database: Database) -> bool:
    """Write the telephone accounts of all agents and let a running Asterisk read them; talks are not disturbed.

    Returns False when no Asterisk runs here: the next start reads the file. Raises asterisk_conf.accounts.BadAccount.
    """
    from asterisk_conf import instance

    instance.render_phones(settings, phone_accounts(database))
    try:
        instance.asterisk_rx(settings, "module reload res_pjsip.so")
    except (instance.NotReady, OSError) as error:
        log.info("telephones are written; Asterisk reads them when it starts", why=str(error)[:200])
        return False
    return True
