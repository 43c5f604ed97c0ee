"""Search in Chinese, in milliseconds, on both databases: any kind of thing can have an index (K1, later cases)."""
