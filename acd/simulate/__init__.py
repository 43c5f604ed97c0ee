"""Whole days of a call centre on the real engine and a clock that jumps: how well would this roster answer?

`erlang` has the closed formulas, `day` runs one day on `acd.engine.Engine`, `search` finds the smallest roster that
keeps a promise. Pure: the same scenario and seed give the same day.
"""
