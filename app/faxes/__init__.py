"""Faxes: TIFF to PDF, and a draft case (T11)."""
