"""Tells a running Asterisk about the agents' telephones after they have changed."""

from __future__ import annotations

from app.agents.service import phone_accounts
from app.db import Database
from app.settings import Settings
from app.supervisor.plan import manager_answers


def refresh(settings: Settings, database: Database) -> bool:
    """Writes the telephone accounts anew and has Asterisk read them; False if no Asterisk runs (it will at its start).

    Running talks are not disturbed.
    """
    from asterisk_conf import instance
    from asterisk_conf.manager_probe import NotReady

    if not (settings.paths.asterisk / "etc/asterisk.conf").exists():
        return False
    instance.render_phones(settings, phone_accounts(database))
    if not manager_answers(settings.ami_host, settings.ami_port):
        return False
    try:
        instance.asterisk_rx(settings, "module reload res_pjsip.so")
    except NotReady:
        return False
    return True
