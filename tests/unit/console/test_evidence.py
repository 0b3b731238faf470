"""A figure is shown beside what is usual for its user and for the card, device, address, merchant or payee."""

from __future__ import annotations

from console.evidence import DERIVED, FIGURES, Line, evidence, odd_first
from engine.features.catalogue import CATALOGUE

NAMES = {each.name for each in CATALOGUE}


def line(lines: tuple[Line, ...], title: str) -> Line:
    (found,) = (each for each in lines if each.title == title)
    return found


def test_every_figure_is_of_features_that_exist() -> None:
    named = {name for each in FIGURES for name in (each.feature, each.user, each.entity, each.past) if name}

    assert named - DERIVED <= NAMES


def test_an_amount_is_shown_beside_the_means_of_user_and_merchant() -> None:
    features = {"amount_base": 1250.0, "amount_mean_30d_base": 50.0, "merchant_usual_mean_base": 900.0}
    features |= {"merchant_known_days": 7.0}

    amount = line(evidence(features, "USD"), "Amount")

    assert (amount.value, amount.user, amount.entity, amount.is_odd) == (
        "1,250.00 USD",
        "50.00 USD (mean of 30 days)",
        "900.00 USD (merchant's mean)",
        True,
    )


def test_a_merchant_without_a_past_of_its_own_has_no_mean() -> None:
    features = {"amount_base": 1250.0, "merchant_usual_mean_base": 50.0, "merchant_known_days": 6.9}

    amount = line(evidence(features, "USD"), "Amount")

    assert (amount.entity, amount.is_odd) == ("", False)


def test_what_is_usual_of_a_new_device_is_said_to_be_that_of_its_kind() -> None:
    features = {"device_payments_1h": 4, "device_usual_payments_1h": 0.004, "device_known_days": 0.1}

    (shown,) = evidence(features, None)

    assert (shown.entity, shown.is_odd) == ("less than 0.01 (usual of devices in general)", True)


def test_a_figure_near_its_norms_is_not_marked() -> None:
    lines = evidence(
        {"device_payments_1h": 2, "device_usual_payments_1h": 1.5, "device_known_days": 30.0}, None
    )

    assert [(each.value, each.entity, each.is_odd) for each in lines] == [
        ("2", "1.5 (device's usual)", False)
    ]


def test_the_number_of_payments_is_shown_beside_the_usual_number_a_day() -> None:
    lines = evidence({"tx_count_24h": 12, "tx_rate_ratio_24h": 6.0}, None)

    assert line(lines, "Payments in 24 hours").user == "2 (a day, of 30)"
    assert line(lines, "Payments in 24 hours").is_odd


def test_a_new_device_counts_nothing_and_is_marked() -> None:
    features = {"device_tx_count": 0, "usual_tx_count": 40, "is_unfamiliar_device": True}

    device = line(evidence(features, None), "Usual payments from this device before")

    assert (device.value, device.user, device.is_odd) == ("0", "40 (usual payments in all)", True)


def test_one_payment_is_never_many_times_what_is_usual() -> None:
    features = {"device_payments_1h": 1, "device_usual_payments_1h": 0.02, "ip_payments_1h": 2}
    features |= {"ip_usual_payments_1h": 0.01, "amount_base": 50.0, "amount_sum_1h_base": 50.0}

    lines = evidence(features, "USD")

    assert [(each.title, each.is_odd) for each in lines] == [
        ("Amount", False),
        ("Payments from the address in 1 hour", False),
    ]


def test_what_says_nothing_is_left_out() -> None:
    assert (
        evidence({"card_fraud_rate_30d": 0.0, "usual_fraud_rate_30d": 0.001, "device_tx_count": 0}, None)
        == ()
    )
    assert evidence({}, "USD") == ()


def test_marked_lines_come_first() -> None:
    features = {
        "amount_base": 10.0,
        "amount_mean_30d_base": 50.0,
        "ip_payments_1h": 40,
        "ip_usual_payments_1h": 2.0,
    }

    lines = odd_first(evidence(features, "USD"))

    assert [each.title for each in lines] == ["Payments from the address in 1 hour", "Amount"]
