"""The knowledge base: what agents read to callers, who vouches for it and until when (K1, 深圳12345, 篇4)."""
