"""What the audit keeps."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """Kinds of audited acts."""

    login = "login"
    login_failed = "login.failed"
    login_refused = "login.refused"
    logout = "logout"
    password_changed = "password.changed"
    password_reset = "password.reset"
    user_created = "user.created"
    user_changed = "user.changed"
    agent_created = "agent.created"
    agent_changed = "agent.changed"
    phone_account_read = "agent.phone_read"
    recording_listened = "recording.listened"
    recording_exported = "recording.exported"
    recording_held = "recording.held"
    recording_paused = "recording.paused"  # a confidential part of a talk begins …
    recording_resumed = "recording.resumed"  # … and ends
    recording_expired = "recording.expired"
    recording_read = "recording.read"  # its transcript, or comments on it
    recording_commented = "recording.commented"
    transcript_stored = "transcript.stored"
    transcripts_searched = "transcripts.searched"  # never by which words
    voicemail_listened = "voicemail.listened"
    voicemail_read = "voicemail.read"  # what was said in it
    voicemail_text_changed = "voicemail.text_changed"
    fax_read = "fax.read"
    fax_exported = "fax.exported"
    case_overridden = "case.overridden"
    cases_exported = "cases.exported"
    cases_imported = "cases.imported"
    cases_batch = "cases.batch"  # one act on several cases
    cases_batch_undone = "cases.batch_undone"
    case_recused = "case.recused"  # somebody is kept from a case
    case_recusal_lifted = "case.recusal_lifted"
    agent_overridden = "agent.overridden"  # a supervisor changed another person's state
    callback_overridden = "callback.overridden"  # a supervisor put back or closed what another person had taken
    call_monitored = "call.monitored"  # a supervisor listens in, whispers or talks with all
    citizen_changed = "citizen.changed"
    announcement_changed = "announcement.changed"
    announcement_tried = "announcement.tried"  # its text was spoken to whoever writes it (never which words)
    calendar_changed = "calendar.changed"  # a day's opening hours
    calendar_imported = "calendar.imported"  # the working days of a year
    workday_changed = "workday.changed"  # a holiday or make-up workday
    clock_rule_changed = "clock_rule.changed"
    clock_exchanged = "clock.exchanged"  # another limit holds for something that was being timed
    extension_asked = "extension.asked"
    extension_decided = "extension.decided"
    roster_imported = "roster.imported"
    roster_exported = "roster.exported"
    roster_changed = "roster.changed"  # who is on duty, or takes turns
    knowledge_changed = "knowledge.changed"  # which step of an article's life
    knowledge_imported = "knowledge.imported"
    knowledge_exported = "knowledge.exported"
    knowledge_gap = "knowledge.gap"  # what was searched in vain: claimed, released, closed
    campaign_changed = "campaign.changed"  # what is said, when and how
    campaign_step = "campaign.step"  # started, paused, stopped, at its end
    campaign_targets = "campaign.targets"  # numbers came onto a list
    campaign_exported = "campaign.exported"
    wish_noted = "wish.noted"  # somebody said "do not call me", or yes to being called
    wish_ended = "wish.ended"
    nuisance_set = "nuisance.set"  # a rule about a caller who misuses the hotline
    nuisance_ended = "nuisance.ended"  # … ended before its time
    unit_created = "unit.created"
    unit_changed = "unit.changed"
    unit_moved = "unit.moved"  # below another parent
    unit_closed = "unit.closed"
    unit_reopened = "unit.reopened"
    unit_member_added = "unit.member_added"
    unit_member_ended = "unit.member_ended"
    contact_changed = "contact.changed"  # where a person is told of notices (never the address itself)
    units_imported = "units.imported"  # units or members from a table
    units_exported = "units.exported"
    case_exported = "case.exported"  # a document of an assignment, as docx or PDF
    machine_created = "machine.created"  # an account of an outside system
    machine_changed = "machine.changed"
    machine_token = "machine.token"  # another token in place of the old one
    machine_revoked = "machine.revoked"
    machine_read = "machine.read"  # an outside system followed an agent's calls, or read a call
    machine_acted = "machine.acted"  # … gave a command for an agent
    push_address_set = "push_address.set"  # where an outside system is told of calls (never the address itself)
    push_again = "push.again"  # what could not be delivered is sent again
    quality_drawn = "quality.drawn"  # calls were sampled for review
    quality_step = "quality.step"  # which step of a review
    quality_confirmed = "quality.confirmed"  # the results of a quarter
    quality_trained = "quality.trained"  # an agent may take calls again
    quality_rules_changed = "quality.rules_changed"  # what talks are judged by or listened to for, or which are drawn
    phrases_checked = "phrases.checked"  # a talk was looked through again, by the list of today
    published_number_changed = "published_number.changed"  # where and when a unit's number is published
    published_numbers_imported = "published_numbers.imported"
    # a round of calls to published numbers: made, started, paused, published …
    number_audit_round = "number_audit.round"
    number_audit_called = "number_audit.called"  # an auditor calls a number themselves
    number_audit_graded = "number_audit.graded"
    number_audit_case = "number_audit.case"  # a dead number became a case of its unit
    number_audit_exported = "number_audit.exported"
    alert_rule_changed = "alert_rule.changed"  # when supervisors are warned
    alert_acknowledged = "alert.acknowledged"
    progress_told = "progress.told"  # somebody without an account asked with a case's number and its code
    progress_refused = "progress.refused"  # … too often
    progress_code_read = "progress.code_read"  # an agent had the code of a case shown, to read it out
    flow_published = "flow.published"  # another voice menu, or an older one again
    reply_template_changed = "reply_template.changed"  # written, changed, retired, taken up again
