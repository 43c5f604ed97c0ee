"""The hotline's domain by capability, its web pages, its command line, and the one place that wires it all."""
