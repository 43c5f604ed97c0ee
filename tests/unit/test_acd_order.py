"""The sorted set behind every queue."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acd.order import SortedKeys

keys = st.tuples(st.integers(-3, 3), st.integers(0, 400))


@given(st.lists(st.tuples(st.booleans(), keys), max_size=600))
def test_it_holds_what_a_sorted_list_of_the_same_keys_holds(changes):
    ours, plain = SortedKeys(), set()
    for adds, key in changes:
        if adds:
            assert ours.add(key) == (key not in plain)
            plain.add(key)
        else:
            assert ours.remove(key) == (key in plain)
            plain.discard(key)
    expected = sorted(plain)
    assert list(ours) == expected
    assert len(ours) == len(expected)
    assert ours.size == len(expected)
    assert ours.first() == ours.head == (expected[0] if expected else None)
    for place, key in enumerate(expected):
        assert ours.rank(key) == place
        assert key in ours
    assert ours.rank((99, 0)) == len(expected)


def test_thousands_of_keys_keep_their_ranks_through_splits_and_removals():
    ours = SortedKeys()
    numbers = [(n * 7919 % 10_007, n) for n in range(10_000)]
    for key in numbers:
        ours.add(key)
    for key in numbers[::3]:
        ours.remove(key)
    left = sorted(set(numbers) - set(numbers[::3]))
    assert list(ours) == left
    assert [ours.rank(key) for key in left] == list(range(len(left)))
