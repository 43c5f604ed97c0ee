"""Number audits for tests and drills: 篇4's table, and forms that reproduce it."""
