"""What an office decides for itself comes in editions: each holds from a day to come, and none is ever changed."""
