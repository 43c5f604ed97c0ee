"""The city's working days: public holidays, make-up workdays, and how far they are published (C4)."""
