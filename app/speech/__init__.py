"""What was said, as text: a recogniser in processes of its own, and the jobs that write it down."""
