"""What the fake backend has in store: people, calls and cases that never were."""
