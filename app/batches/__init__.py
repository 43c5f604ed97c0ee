"""One act on several cases at once: tried first, done case by case, and taken back while nobody has gone on from it."""
