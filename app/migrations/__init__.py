"""Schema migrations (Alembic), run from code."""
