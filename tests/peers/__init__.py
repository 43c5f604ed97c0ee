"""The other side of the line in tests and demos: a public telephone network, telephones, a backend that misbehaves.

Nothing here imports pytest but `fixtures`.
"""
