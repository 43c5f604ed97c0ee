"""A tiny Mandarin model for vosk, made here from the voice that ships: it proves the real recogniser, no more.

It knows twenty-nine words as espeak-ng says them on a telephone line. Of human speech it says nothing.
"""
