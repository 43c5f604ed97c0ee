"""What runs on a live channel: a FastAGI server and one script per job.

A script is blocking code on a thread of its own. It speaks with Asterisk through `SafeAgi`, with the domain through
`Services`, and ends by setting channel variables; the dialplan does the rest. A script that dies costs its caller an
apology, never the call: the dialplan sees that HOTLINE_DONE is missing.
"""
