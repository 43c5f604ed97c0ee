"""What people have said about being contacted. Pure."""

from __future__ import annotations

from enum import StrEnum

LONGEST_WHY = 200


class Said(StrEnum):
    """What was said."""

    do_not_call = "do_not_call"
    consent = "consent"


class About(StrEnum):
    """What it is about: for `do_not_call` the first two, for `consent` the others."""

    campaigns = "campaigns"  # no calls and messages that the hotline begins by itself
    all = "all"  # nor calls of an agent, unless the person has asked to be called back
    survey = "survey"
    subscription = "subscription"


class How(StrEnum):
    """How it became known."""

    key = "key"  # pressed in a call
    told = "told"  # to an agent
    written = "written"
    table = "table"  # with a list


FITS = {
    Said.do_not_call: frozenset({About.campaigns, About.all}),
    Said.consent: frozenset({About.survey, About.subscription}),
}


def slot(said: Said, about: About, number: str) -> str:
    """What there is one of at a time."""
    return f"{said.value}:{about.value}:{number}"
