from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from contract.scored import Position
from contract.transaction import decode_transaction
from engine.profile import to_bytes
from lab.backtest.profiles import Profiles
from tests.support.backtest_samples import sent
from tests.support.payments import APPROVED, trusted_facts


@given(
    users=st.lists(st.sampled_from("abcdef"), max_size=40),
    max_unpacked=st.integers(1, 4),
)
def test_packed_profiles_are_those_that_were_never_packed(users: list[str], max_unpacked: int) -> None:
    few, all_of_them = Profiles(max_unpacked), Profiles()

    for number, user in enumerate(users):
        payment = sent(number, "12.50", user_id=user, location={"latitude": 52.5, "longitude": 13.4})
        facts = trusted_facts(decode_transaction(msgspec.json.encode(payment.record)))
        before = to_bytes(few.of(user))
        assert before == to_bytes(all_of_them.of(user))
        for profiles in (few, all_of_them):
            profiles.of(user).fold(facts, APPROVED, Position("t", 0, number))

    assert [few.of(user).tx_count for user in "abcdef"] == [users.count(user) for user in "abcdef"]
