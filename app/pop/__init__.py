"""The card that an agent sees when a call is offered (T7)."""
