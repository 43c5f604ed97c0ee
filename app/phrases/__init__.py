"""What agents are to say and never say: lists in editions, found in transcripts and while it is said (篇4, 篇6)."""
