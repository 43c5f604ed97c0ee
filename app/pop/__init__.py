"""The card that an agent sees when a call is offered (T7)."""

from app.pop.model import Card
from app.pop.service import build_card, card_without_draft, store_drafts

__all__ = ["Card", "build_card", "card_without_draft", "store_drafts"]
