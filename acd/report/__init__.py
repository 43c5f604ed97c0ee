"""Every figure from one log: what the engine's journal says about calls and agents, counted and divided.

`facts` turns events and decisions into calls and stretches of agents' time, `tally` adds them up, `formulas` divides
and says in words how, `groups` does it by half-hour, queue, skill or agent. Pure.
"""
