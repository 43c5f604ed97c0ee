"""A small living city for `make demo`: citizens who call 12345 over real SIP, and agents who take the calls.

Run by the supervisor beside the hotline as `python -m tests.demo`. It uses the same second Asterisk as the tests
(tests/peers), which is why it lives here and needs a checkout.
"""
