"""What a supervisor must look at now: thresholds over the live board, raised and cleared with hysteresis."""
