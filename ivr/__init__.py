"""What a caller hears next: the voice menu as data, walked by a pure interpreter, checked by a verifier.

Nothing here knows Asterisk, a database or a clock. `agi_scripts` speaks what the interpreter decides.
"""
