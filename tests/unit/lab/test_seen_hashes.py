from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.seen_hashes import SeenHashes

hashes = st.integers(0, 2**64 - 1) | st.integers(1, 5).map(lambda low: low << 32)


@given(st.lists(hashes, max_size=60))
def test_only_the_first_of_equal_hashes_is_new(values: list[int]) -> None:
    seen, known = SeenHashes(), set[int]()

    for value in values:
        assert seen.add(value) is ((value or 1) not in known)
        known.add(value or 1)

    assert len(seen) == len(known)


def test_the_set_grows_and_forgets_nothing() -> None:
    seen = SeenHashes()
    values = [number * 0x9E3779B97F4A7C15 % 2**64 for number in range(1, 20_000)]

    assert all(seen.add(value) for value in values)

    assert not any(seen.add(value) for value in values)
    assert len(seen) == len(values)
