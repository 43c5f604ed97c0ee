"""The whole hotline as a thing a test can start, break and talk to."""
