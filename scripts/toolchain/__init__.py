"""Brings everything the project needs onto a machine, without root and without changing the machine.

Standard library only: this runs before the virtual environment exists.
"""
