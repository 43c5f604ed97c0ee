"""Calling out: reminders, results, surveys and subscriptions, by telephone or by a message instead."""
