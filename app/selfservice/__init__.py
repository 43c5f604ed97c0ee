"""What callers do by themselves on the telephone: their own cases, ratings, answers by SMS (T3, T12)."""
