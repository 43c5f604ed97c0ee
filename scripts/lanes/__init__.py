"""How all tiers of tests run: two lanes beside each other, the longest files first."""
