"""Simulated people report fraud late, some never, some wrongly; each message is one that the labels queue takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from contract.label import LabelMessage, LabelSource, LabelVerdict
from contract.label_message import decode_label_message, encode_label_message
from contract.truth import SentPayment, Truth
from simulator import SimulationConfig, simulate
from simulator.fraud import SCENARIOS
from simulator.reports import FRAUD_TYPES, REPORTERS, WRONG_SHARE, reports

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def payment(number: int, scenario: str | None, incident: str | None = None) -> SentPayment:
    record: dict[str, object] = {
        "transaction_id": f"t-{number}", "user_id": f"u-{number}", "timestamp": "2026-11-01T12:00:00Z",
    }  # fmt: skip
    return SentPayment(record=record, truth=Truth(scenario, incident))


def delay_days(message: LabelMessage) -> float:
    assert message.known_at is not None
    return (message.known_at - AT) / timedelta(days=1)


def test_most_frauds_are_reported_days_later_and_some_never() -> None:
    found = [reports(payment(number, "stolen_card"), 1) for number in range(2_000)]

    share = sum(map(len, found)) / len(found)
    assert abs(share - sum(reporter.share for reporter in REPORTERS)) < 0.03
    messages = [message for each in found for message in each]
    assert {message.source for message in messages} == {reporter.source for reporter in REPORTERS}
    for reporter in REPORTERS:
        delays = sorted(delay_days(each) for each in messages if each.source is reporter.source)
        assert 0.8 < delays[len(delays) // 2] / reporter.median_days < 1.25
        assert 0 < delays[0] < delays[-1] <= 90


def test_a_few_honest_payments_are_reported_and_some_of_these_reports_withdrawn() -> None:
    found = [reports(payment(number, None), 1) for number in range(20_000)]

    wrong = [each for each in found if each]
    assert 0.4 < len(wrong) / (WRONG_SHARE * len(found)) < 2
    assert {len(each) for each in wrong} == {1, 2}
    for each in wrong:
        assert each[0].source is LabelSource.CUSTOMER
        if len(each) == 2:
            assert (each[1].verdict, each[1].withdraws) == (LabelVerdict.WITHDRAWN, each[0].label_id)
            assert delay_days(each[1]) > delay_days(each[0])


def test_all_payments_of_an_incident_are_reported_alike() -> None:
    found = [reports(payment(number, "card_testing", "i-1"), 3) for number in range(20)]

    assert len({(message.source, message.known_at) for each in found for message in each}) <= 1
    assert len({len(each) for each in found}) == 1


def test_a_shorter_day_brings_the_same_reports_sooner() -> None:
    fraud = next(each for n in range(99) if reports(each := payment(n, "high_amount"), 1))

    [slow], [fast] = reports(fraud, 1), reports(fraud, 1, timedelta(seconds=10))

    assert abs(delay_days(slow) - delay_days(fast) * 8_640) < 1e-6
    assert (slow.source, slow.fraud_type) == (fast.source, fast.fraud_type)


def test_every_report_of_a_simulation_is_a_message_that_the_queue_takes() -> None:
    config = SimulationConfig(seed=5, users=60, transactions=3_000, ends_at=AT, fraud_rate=0.05)

    messages = [message for sent in simulate(config) for message in reports(sent, 5)]

    assert len(messages) > 50
    for message in messages:
        assert decode_label_message(encode_label_message(message)).transaction_id == message.transaction_id


def test_every_scenario_has_its_type_of_fraud() -> None:
    assert FRAUD_TYPES.keys() == SCENARIOS.keys()
