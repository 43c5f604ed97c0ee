"""Texts that an office has ready for replies: by kind of case and outcome, in versions, filled from the case."""
