"""Roles (K3) and what each may do, as one table.

The table is the whole truth: no code asks for a role, only for a permission.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Role(StrEnum):
    """The people around a hotline (篇6)."""

    agent = "agent"  # 话务员
    supervisor = "supervisor"  # 班长
    duty_leader = "duty_leader"  # 带班领导
    section_head = "section_head"  # 处室负责人
    dispatcher = "dispatcher"  # 派单员
    unit_handler = "unit_handler"  # 承办单位经办人
    unit_leader = "unit_leader"  # 承办单位负责人
    quality = "quality"  # 质检员
    city_leader = "city_leader"  # 市领导
    auditor = "auditor"  # 审计员
    admin = "admin"  # 系统管理员
    citizen = "citizen"  # 市民


class Permission(StrEnum):
    """One thing that a person may do."""

    calls_read = "calls.read"
    calls_handle = "calls.handle"  # take calls, have a phone
    cases_read = "cases.read"
    cases_write = "cases.write"
    cases_override = "cases.override"  # edit what another person owns or has registered
    cases_dispatch = "cases.dispatch"  # give cases to units, judge what they give back
    cases_review = "cases.review"  # judge what units reply, send it back, archive
    cases_follow_up = "cases.follow_up"  # ask citizens whether it was solved
    cases_defer = "cases.defer"  # 挂账
    cases_recuse = "cases.recuse"  # say who must have nothing to do with a case
    cases_export = "cases.export"
    cases_import = "cases.import"
    chases_decide = "chases.decide"  # 督办单, and whether a draft of a reprimand (通报) goes out
    exposures_decide = "exposures.decide"  # whether what was left undone is made public (曝光)
    urgent_acknowledge = "urgent.acknowledge"  # is told of urgent matters at once, and says so (篇6 第20条)
    work_handle = "work.handle"  # sign, handle and answer what one's unit was given
    work_lead = "work.lead"  # … and sign it as its leader
    drafts_read_all = "drafts.read_all"
    citizens_read = "citizens.read"
    citizens_write = "citizens.write"
    personal_read = "personal.read"  # sees numbers and names
    confidential_read = "confidential.read"  # sees them also where a citizen asked for secrecy (篇6 第19条)
    recordings_listen = "recordings.listen"
    recordings_own = "recordings.own"  # listen to the talks one had oneself
    recordings_export = "recordings.export"
    transcripts_write = "transcripts.write"  # say what was said in a recording
    quality_read = "quality.read"  # reviews of others' talks, once they are published
    quality_own = "quality.own"  # … of one's own, and answer to them
    quality_review = "quality.review"  # draw talks and review them
    quality_coach = "quality.coach"
    quality_decide = "quality.decide"  # on an appeal against somebody else's review
    quality_rules = "quality.rules"  # change what talks are judged by, and which are drawn
    quality_assess = "quality.assess"  # confirm a quarter's results, and that somebody was trained (篇6)
    number_audits_read = "number_audits.read"  # rounds of calls to published numbers, with everything said of them
    number_audits_run = "number_audits.run"  # keep the register, plan, start, pause and publish rounds
    number_audits_grade = "number_audits.grade"  # call as a citizen would, and grade
    number_audits_own = "number_audits.own"  # what a published round says of one's own unit
    messages_read = "messages.read"  # voicemails and faxes
    callbacks_handle = "callbacks.handle"
    announcements_write = "announcements.write"
    rules_read = "rules.read"  # how the queues are set, and the rules about callers
    flows_read = "flows.read"  # the voice menu, its versions, and trying it
    flows_write = "flows.write"  # publish another version of it, or an older one again
    campaigns_read = "campaigns.read"  # campaigns of calls out, their lists (masked) and results
    campaigns_write = "campaigns.write"  # write, start, pause and stop them
    campaigns_export = "campaigns.export"
    wishes_note = "wishes.note"  # note that somebody says "do not call me", or yes to being called
    wishes_end = "wishes.end"  # … that they have taken it back
    nuisance_write = "nuisance.write"  # set and end rules about callers who misuse the hotline
    knowledge_read = "knowledge.read"
    knowledge_use = "knowledge.use"  # say what was read to callers, whether it helped, and what was not found
    knowledge_internal = "knowledge.internal"  # also what is not for everybody's ears
    knowledge_write = "knowledge.write"
    knowledge_review = "knowledge.review"  # publish what others wrote, withdraw it, find it still true
    knowledge_own = "knowledge.own"  # write and change the articles of one's own unit
    knowledge_lead = "knowledge.lead"  # … and pass them to the centre as its leader
    calendar_write = "calendar.write"
    clocks_write = "clocks.write"  # set the time limits of cases
    extensions_decide = "extensions.decide"  # give somebody more time, or not
    roster_read = "roster.read"  # who is on duty
    roster_write = "roster.write"
    wallboard_read = "wallboard.read"
    agents_control = "agents.control"  # listen in, whisper, change another's state
    users_manage = "users.manage"
    audit_read = "audit.read"
    system_read = "system.read"  # health details, metrics, alarms
    units_read = "units.read"  # the directory of units
    units_write = "units.write"  # change the network: units, where they stand, who works in them


P = Permission
_KNOWLEDGE = {P.knowledge_read, P.knowledge_use, P.knowledge_internal}
_EDITOR = {P.knowledge_write, P.knowledge_review}
_STAFF = {
    P.calls_read,
    P.cases_read,
    P.citizens_read,
    P.personal_read,
    P.wallboard_read,
    P.roster_read,
    P.units_read,
    *_KNOWLEDGE,
}
_AGENT = _STAFF | {
    P.calls_handle,
    P.cases_write,
    P.citizens_write,
    P.recordings_own,
    P.quality_own,
    P.messages_read,
    P.callbacks_handle,
    P.cases_follow_up,
    P.wishes_note,
}
_SUPERVISOR = (
    _AGENT
    | _EDITOR
    | {
        P.cases_override,
        P.drafts_read_all,
        P.recordings_listen,
        P.quality_read,
        P.quality_coach,
        P.announcements_write,
        P.rules_read,
        P.nuisance_write,
        P.agents_control,
        P.system_read,
    }
    | {P.campaigns_read, P.campaigns_write, P.wishes_end}
    | {P.flows_read, P.flows_write}
)

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.agent: frozenset(_AGENT),
    Role.supervisor: frozenset(_SUPERVISOR),
    Role.duty_leader: frozenset(
        _SUPERVISOR
        | {P.chases_decide, P.exposures_decide, P.urgent_acknowledge}
        | {P.confidential_read, P.calendar_write, P.extensions_decide}
        | {P.cases_dispatch, P.cases_review, P.cases_defer, P.cases_recuse, P.roster_write, P.cases_export}
        | {P.campaigns_export}
        | {P.number_audits_read}
    ),
    Role.section_head: frozenset(
        _STAFF
        | {P.cases_write, P.cases_override, P.drafts_read_all, P.confidential_read, P.citizens_write}
        | {P.quality_read, P.quality_decide, P.quality_assess, P.quality_rules, P.transcripts_write}
        | {P.recordings_listen, P.recordings_export, P.messages_read, P.callbacks_handle, P.announcements_write}
        | {P.calendar_write, P.rules_read, P.nuisance_write, P.clocks_write, P.extensions_decide}
        | {P.cases_dispatch, P.cases_review, P.cases_follow_up, P.cases_recuse, P.roster_write}
        | {P.cases_export, P.cases_import}
        | _EDITOR
        | {P.chases_decide}
        | {P.campaigns_read, P.campaigns_write, P.campaigns_export, P.wishes_note, P.wishes_end}
        | {P.number_audits_read, P.number_audits_run}
        | {P.flows_read, P.flows_write}
    ),
    Role.dispatcher: frozenset(
        _STAFF
        | {P.cases_write, P.cases_override, P.drafts_read_all, P.messages_read, P.units_write, P.knowledge_write}
        | {P.cases_dispatch, P.cases_review, P.cases_follow_up}
    ),
    Role.unit_handler: frozenset({P.units_read, P.work_handle, P.knowledge_read, P.knowledge_own, P.number_audits_own}),
    Role.unit_leader: frozenset(
        {P.units_read, P.work_handle, P.work_lead, P.knowledge_read, P.knowledge_own, P.knowledge_lead}
        | {P.number_audits_own}
    ),
    Role.quality: frozenset(
        _STAFF
        | {P.recordings_listen, P.drafts_read_all, P.transcripts_write}
        | {P.quality_read, P.quality_review, P.quality_coach, P.quality_decide}
        | {P.number_audits_read, P.number_audits_grade}
    ),
    Role.city_leader: frozenset(
        {P.cases_read, P.wallboard_read, P.roster_read, P.units_read, P.knowledge_read, P.knowledge_use}
        | {P.number_audits_read}
    ),
    Role.auditor: frozenset(
        {P.audit_read, P.calls_read, P.cases_read, P.cases_export, P.system_read, P.rules_read, P.units_read}
        | {P.campaigns_read, P.campaigns_export}
        | _KNOWLEDGE
        | {P.number_audits_read}
        | {P.flows_read}
    ),
    Role.admin: frozenset(
        {P.users_manage, P.audit_read, P.calendar_write, P.announcements_write, P.system_read, P.wallboard_read}
        | {P.calls_read, P.cases_read, P.rules_read, P.units_read, P.units_write, P.clocks_write}
        | _KNOWLEDGE
        | {P.flows_read}
    ),
    Role.citizen: frozenset(),
}
del P


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """Everything that someone with these roles may do."""
    return frozenset().union(*(PERMISSIONS[role] for role in roles))


def parse_roles(names: Iterable[str]) -> frozenset[Role]:
    """The roles of these names; names that no longer exist are left out rather than locking a person out."""
    known = {role.value for role in Role}
    return frozenset(Role(name) for name in names if name in known)
