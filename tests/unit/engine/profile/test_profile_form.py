"""The stored form of a profile: exact, bounded, pinned, and refused where it is another."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.countries import COUNTRY_CODES
from contract.scored import Position
from contract.transaction import Location
from engine.profile import Profile, ProfileFormatError, from_bytes, to_bytes
from engine.profile.habit_amounts import HABIT_CAPACITY
from engine.profile.pending_payments import MAX_PENDING
from engine.profile.profile import MAX_DAY_ROWS, MAX_HOUR_ROWS, MAX_PARTITIONS, MAX_VERDICTS
from engine.profile.recent_payments import RING_CAPACITY
from engine.profile.seen_values import CAPACITY
from engine.profile.stored import FORMAT
from tests.support.histories import (
    DAY_S,
    START,
    Event,
    facts_at,
    folded,
    histories,
    late_facts_at,
    verdict_on,
)
from tests.support.kafka_events import TOPIC
from tests.support.payments import APPROVED, BLOCKED, REVIEWED

MAX_PROFILE_BYTES = 6144
CURRENCIES = ["EUR", "USD", "JPY", "KWD", "GBP", "CHF", "SEK", "NOK", "DKK"]


def hostile_profile(draw: Random, payments: int) -> Profile:
    """A profile of a history in which no value, time, currency or partition comes twice if it can be helped."""
    profile = Profile()
    for number in range(payments):
        facts = late_facts_at(
            draw.uniform(0, 60 * DAY_S),
            draw.choice([0, 0, 30, DAY_S, 10**9, -(10**9)]),
            f"t-{draw.choice([number, number // 2])}",
            amount=Decimal(draw.choice([1, 2**53 // 1000])),
            currency=draw.choice(CURRENCIES),
            merchant_id=f"m-{draw.random()}",
            device_id=f"d-{draw.random()}",
            payee_id=f"p-{draw.random()}",
            channel=draw.choice(["pos", "atm", "online", "app", "transfer", "mail order", "unknown"]),
            card_id=f"k-{draw.random()}",
            location=Location(
                latitude=draw.uniform(-90, 90), longitude=0.0, country=draw.choice(sorted(COUNTRY_CODES))
            ),
        )
        verdicts = [
            verdict_on(facts, is_fraud=draw.random() < 0.1, verdict_hash=number * 10 + each)
            for each in range(draw.choice([0, 0, 1, MAX_VERDICTS]))
        ]
        profile.learn(profile.lessons(facts, verdicts))
        profile.fold(
            facts,
            draw.choice([APPROVED, APPROVED, REVIEWED, BLOCKED]),
            Position(TOPIC, draw.randrange(100), number),
        )
    return profile


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32))
def test_a_profile_stays_under_6_kib_whatever_the_history(seed: int) -> None:
    profile = hostile_profile(Random(seed), 1500)

    stored = to_bytes(profile)
    assert len(stored) <= MAX_PROFILE_BYTES
    assert to_bytes(from_bytes(stored)) == stored


def test_a_profile_with_every_part_full_stays_under_6_kib() -> None:
    """So the limit holds for any history, and not only for those that were tried."""
    draw = Random(1)
    profile = hostile_profile(draw, 3000)
    for hours in range(30):  # a last day in which every hour has several currencies, and reviewed payments
        for currency in CURRENCIES:
            facts = facts_at(70 * DAY_S + hours * 3600, f"{hours}-{currency}", currency=currency)
            profile.fold(facts, APPROVED, Position(TOPIC, 0, 10_000 + hours))
        profile.fold(facts_at(71 * DAY_S + hours, f"r-{hours}"), REVIEWED, Position(TOPIC, 1, 10_000 + hours))

    assert [len(part) for part in (profile.recent, profile.habits)] == [RING_CAPACITY, HABIT_CAPACITY]
    assert [len(part) for part in (profile.hours, profile.days, profile.habit_days)] == [
        MAX_HOUR_ROWS,
        MAX_DAY_ROWS,
        MAX_DAY_ROWS,
    ]
    assert len(profile.seen) == sum(CAPACITY)
    assert (len(profile.pending), len(profile.verdicts)) == (MAX_PENDING, MAX_VERDICTS)
    assert len(profile.partitions) == MAX_PARTITIONS
    assert profile.last_place is not None
    assert len(to_bytes(profile)) <= MAX_PROFILE_BYTES


@given(histories(max_size=40, span_s=90 * DAY_S))
def test_what_is_stored_is_read_back_to_the_byte(history: list[Event]) -> None:
    stored = to_bytes(folded(history))

    assert to_bytes(from_bytes(stored)) == stored


def test_profile_that_is_read_back_goes_on_as_the_one_that_was_stored() -> None:
    history = [
        Event(facts_at(number * 50_000, f"t-{number}", device_id=f"d-{number % 3}"), outcome)
        for number, outcome in enumerate([APPROVED, REVIEWED, BLOCKED, APPROVED, APPROVED] * 3)
    ]
    later = Event(facts_at(20 * DAY_S, "later"), APPROVED)

    one = folded(history)
    other = from_bytes(to_bytes(one))
    for profile in (one, other):
        profile.learn(profile.lessons(later.facts, [verdict_on(history[1].facts, is_fraud=True)]))
        profile.fold(later.facts, later.outcome, Position(TOPIC, 0, 100))

    assert to_bytes(one) == to_bytes(other)


def test_empty_profile_is_stored_and_has_folded_nothing() -> None:
    profile = from_bytes(to_bytes(Profile()))

    assert to_bytes(profile) == to_bytes(Profile())
    assert (profile.tx_count, profile.habit_count, profile.newest_at_ms) == (0, 0, -1)
    assert profile.last_place is None


def sample() -> Profile:
    """A profile that has something in each of its parts."""
    paris = Location(latitude=48.8566, longitude=2.3522, country="FR", city="Paris")
    stopped = facts_at(95_000, "stopped", payee_id="p-2")
    history = [
        Event(facts_at(0, "t-1", payee_id="p-1"), APPROVED),
        Event(facts_at(7_200, "t-2", amount=Decimal(2**53) / 100, currency="USD"), APPROVED),
        Event(facts_at(90_000, "t-3", location=paris, device_id=None), APPROVED),
        Event(facts_at(3_600.9996, "late", location="Lyon, FR"), APPROVED),
        Event(stopped, BLOCKED),
        Event(late_facts_at(96_000, -DAY_S, "ahead", amount=Decimal("0.01")), REVIEWED),
    ]
    profile = folded(history)
    profile.learn(profile.lessons(facts_at(97_000, "now"), [verdict_on(stopped, is_fraud=False)]))
    return profile


def test_stored_form_is_that_of_format_3() -> None:
    """Later versions read what is stored: if the form of the bytes changes, :data:`FORMAT` must change, and the digest with it."""
    stored = to_bytes(sample())

    assert FORMAT == stored[0] == 3
    assert len(stored) == 1058
    # It has changed once without the form: the block of a payment that was called legitimate does not count any more, so the sample
    # has other numbers in the same columns. The next test reads the bytes from before.
    assert sha256(stored).hexdigest() == "8b350ca5d615a947da185e2ea35bfba5ded3d48208ba7ff96ed608b9cfe11b35"


def test_a_profile_from_before_stops_were_corrected_is_read_and_its_next_verdict_corrects_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("engine.profile.profile.recount", lambda *_: None)
        stored = to_bytes(sample())
    assert sha256(stored).hexdigest() == "5919b4fa0feb81a71d3689034f944f94964de3aae6784cea0dd0d1b3b8d5975d"
    stopped, now = facts_at(95_000, "stopped", payee_id="p-2"), facts_at(97_000, "now")

    profile = from_bytes(stored)

    assert to_bytes(profile) == stored
    blocks = [sum(profile.days.other)]
    for number, is_fraud in enumerate([True, False, True], 2):
        profile.learn(profile.lessons(now, [verdict_on(stopped, is_fraud=is_fraud, verdict_hash=number)]))
        blocks.append(sum(profile.days.other))
    assert blocks == [1, 1, 0, 1]


def test_bytes_of_another_format_are_refused_and_cut_ones_too() -> None:
    stored = to_bytes(folded([Event(facts_at(0, "t"), APPROVED)]))
    size, header = len(stored), 106
    for bad, message in (
        (b"", "format none; this is 3"),
        (b"\x63" + stored[1:], "format 99; this is 3"),
        (b"\x00" + stored[1:], "format 0; this is 3"),
        (b"\x02" + stored[1:], "format 2; this is 3"),
        (stored[: header - 1], "format 3; this is 3"),
        (stored[:header], f"{header} bytes do not hold what the header says"),
        (stored[:-1], f"{size - 1} bytes do not hold what the header says"),
        (stored + b"\0", f"{size + 1} bytes do not hold what the header says"),
    ):
        with pytest.raises(ProfileFormatError, match=f"^{message}$"):
            from_bytes(bad)


@settings(max_examples=25)
@given(st.integers(0, 1057))
def test_cut_bytes_are_refused_wherever_they_are_cut(size: int) -> None:
    stored = to_bytes(sample())

    with pytest.raises(ProfileFormatError):
        from_bytes(stored[:size])


def test_time_beyond_32_bits_of_seconds_is_stored_as_the_last_that_fits() -> None:
    """Of a trusted feed's clock after February 2106; nothing overflows."""
    century_s = (2**32 - START.timestamp()) + 10
    stored = to_bytes(
        folded([Event(facts_at(century_s, "t"), APPROVED), Event(facts_at(century_s + 9, "u"), REVIEWED)])
    )

    profile = from_bytes(stored)

    assert profile.habits.at_s[0] == 2**32 - 1
    [waiting] = profile.pending.payments
    assert waiting.clock_s == waiting.at_s == 2**32 - 1
    assert profile.taught_at_ms == round((START + timedelta(seconds=century_s)).timestamp() * 1000)
