"""Every table of the hotline, imported so that `metadata` is complete."""

from __future__ import annotations

from sqlmodel import SQLModel

from app.agents.tables import Agent
from app.alarms.tables import Alarm
from app.alerts.tables import AlertRow, AlertRuleRow
from app.announcements.tables import Announcement, AnnouncementHearing, AnnouncementHour
from app.assignments.tables import Assignment, Recusal, Reply
from app.audit.tables import AuditEntry
from app.auth.tables import LoginAttempt, User, UserSession
from app.batches.tables import Batch, BatchRow
from app.callbacks.tables import Callback
from app.calls.tables import Call, CallPause, CallThird
from app.campaigns.tables import Campaign, CampaignAttempt, CampaignTarget
from app.cases.tables import CASE_INDEX, Case, CaseCounter, CaseEvent, CaseItem, HandlingSection, Rotation
from app.chasing.tables import Chase, UrgentMatter, UrgentReceipt
from app.citizens.tables import Citizen, CitizenNumber
from app.clocks.tables import CaseClock, ClockExtension, ClockRule
from app.consents.tables import ContactWish
from app.editions.tables import QualityEdition
from app.faxes.tables import Fax
from app.flows.tables import FlowVersion
from app.followups.tables import FollowUp, FollowUpTask
from app.hours.tables import SpecialDay
from app.knowledge.tables import (
    KNOWLEDGE_INDEX,
    KnowledgeArticle,
    KnowledgeByPhone,
    KnowledgeGap,
    KnowledgeUse,
    KnowledgeVersion,
)
from app.machines.tables import MachineAccount
from app.notices.tables import Notice, NoticeContact, NoticeDelivery
from app.nuisance.tables import NuisanceRule
from app.number_audits.tables import NumberAuditAttempt, NumberAuditRound, NumberAuditTarget, PublishedNumber
from app.phrases.tables import PhraseCheck, PhraseFinding
from app.places.tables import PLACE_INDEX, Place
from app.pushes.tables import PushAddress, PushJob
from app.quality.tables import QualityDraw, QualityEvent, QualityResult, QualityReview, QualityTraining
from app.reply_templates.tables import ReplyTemplate, ReplyTemplateVersion
from app.roster.tables import DutyTurn, HandOver, RosterMember
from app.selfservice.tables import CitizenMessage, CitizenReopening, Survey, WrongTry
from app.speech.tables import SpeechJob
from app.staffing.tables import StaffedSlot
from app.units.tables import Unit, UnitMember, UnitPhone
from app.voicemails.tables import VOICEMAIL_INDEX, Voicemail, VoicemailText
from app.workdays.tables import CalendarYear, WorkDay
from recordings.tables import TRANSCRIPT_INDEX, ChainHead, Recording, RecordingComment, TranscriptLine

metadata = SQLModel.metadata

__all__ = [
    "CASE_INDEX",
    "KNOWLEDGE_INDEX",
    "PLACE_INDEX",
    "TRANSCRIPT_INDEX",
    "VOICEMAIL_INDEX",
    "Agent",
    "Alarm",
    "AlertRow",
    "AlertRuleRow",
    "Announcement",
    "AnnouncementHearing",
    "AnnouncementHour",
    "Assignment",
    "AuditEntry",
    "Batch",
    "BatchRow",
    "CalendarYear",
    "Call",
    "CallPause",
    "CallThird",
    "Callback",
    "Campaign",
    "CampaignAttempt",
    "CampaignTarget",
    "Case",
    "CaseClock",
    "CaseCounter",
    "CaseEvent",
    "CaseItem",
    "ChainHead",
    "Chase",
    "Citizen",
    "CitizenMessage",
    "CitizenNumber",
    "CitizenReopening",
    "ClockExtension",
    "ClockRule",
    "ContactWish",
    "DutyTurn",
    "Fax",
    "FlowVersion",
    "FollowUp",
    "FollowUpTask",
    "HandOver",
    "HandlingSection",
    "KnowledgeArticle",
    "KnowledgeByPhone",
    "KnowledgeGap",
    "KnowledgeUse",
    "KnowledgeVersion",
    "LoginAttempt",
    "MachineAccount",
    "Notice",
    "NoticeContact",
    "NoticeDelivery",
    "NuisanceRule",
    "NumberAuditAttempt",
    "NumberAuditRound",
    "NumberAuditTarget",
    "PhraseCheck",
    "PhraseFinding",
    "Place",
    "PublishedNumber",
    "PushAddress",
    "PushJob",
    "QualityDraw",
    "QualityEdition",
    "QualityEvent",
    "QualityResult",
    "QualityReview",
    "QualityTraining",
    "Recording",
    "RecordingComment",
    "Recusal",
    "Reply",
    "ReplyTemplate",
    "ReplyTemplateVersion",
    "RosterMember",
    "Rotation",
    "SpecialDay",
    "SpeechJob",
    "StaffedSlot",
    "Survey",
    "TranscriptLine",
    "Unit",
    "UnitMember",
    "UnitPhone",
    "UrgentMatter",
    "UrgentReceipt",
    "User",
    "UserSession",
    "Voicemail",
    "VoicemailText",
    "WorkDay",
    "WrongTry",
    "metadata",
]
