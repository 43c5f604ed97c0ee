"""Number audit (暗访): the hotline dials the telephone numbers that units have published, as a citizen would (T16;
篇4)."""
