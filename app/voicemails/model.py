"""What becomes of a voicemail."""

from __future__ import annotations

from enum import StrEnum


class VoicemailStatus(StrEnum):
    """`new` and `partial` wait for a person; `done` has been dealt with; `dropped` held nothing."""

    new = "new"
    partial = "partial"
    done = "done"
    dropped = "dropped"


class DropReason(StrEnum):
    """Why a message became no case."""

    empty = "empty"  # no audio at all
    silent = "silent"  # audio, but nobody spoke
    unreadable = "unreadable"  # no WAV
    missing = "missing"  # the sidecar came without a file
