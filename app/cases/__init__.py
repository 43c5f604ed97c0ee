"""Cases from draft to archive (C1, C14, C16)."""
