"""Search in Chinese, in milliseconds, on both databases: for any kind of thing, today articles and cases (K1)."""
