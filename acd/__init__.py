"""The queue engine: who gets which call, and why.

Pure and deterministic: events and the time go in, decisions with their reasons come out. Nothing here reads a clock, a
socket or a database, and nothing here raises on bad input; what does not fit is answered with `Refused`.
"""
