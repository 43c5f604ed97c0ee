"""Who wants to be called by whom: the register of consents and of those who said "do not call me"."""
