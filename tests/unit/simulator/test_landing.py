from __future__ import annotations

import gzip
import itertools
from collections import Counter
from functools import cache

import msgspec
import pytest

from contract.card_tokens import CardTokens
from contract.transaction import decode_transaction
from contract.truth import SentPayment
from glue_scripts.rows import Header, Published, RowCleaner
from simulator import SimulationConfig, simulate
from simulator.landing import PROBLEMS, LandingConfig, LandingFile, landing_files
from simulator.senders import PLAIN, SENDERS, Sender, card_number
from tests.support.backtest_samples import ENDS_AT

ROWS = RowCleaner(CardTokens(b"a key of sixteen bytes"))


@cache
def transactions() -> tuple[SentPayment, ...]:
    return tuple(simulate(SimulationConfig(seed=7, transactions=1_500, users=60, ends_at=ENDS_AT)))


def landed(senders: tuple[Sender, ...] = SENDERS, bad_rate: float = 0.1) -> list[LandingFile]:
    return list(
        landing_files(
            transactions(), LandingConfig(run="r", bad_rate=bad_rate, rows_per_file=100, senders=senders)
        )
    )


def cleaned(file: LandingFile) -> list[object]:
    """Read a file as the Glue job does."""
    data = gzip.decompress(file.data) if file.name.endswith(".gz") else file.data
    lines = data.splitlines()
    if ".csv" in file.name:
        header = Header(lines[0])
        return [ROWS.clean_csv(line, header) for line in lines[1:]]
    return [ROWS.clean_json(line) for line in lines]


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.name)
def test_the_job_takes_every_transaction_and_refuses_every_bad_row(sender: Sender) -> None:
    files = landed((sender,))

    outcomes = [outcome for file in files for outcome in cleaned(file)]
    published = [outcome for outcome in outcomes if isinstance(outcome, Published)]

    assert len(published) == sum(file.transactions for file in files) == 1_500
    assert len(outcomes) - len(published) == sum(len(file.bad_rows) for file in files) > 100


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.name)
def test_every_senders_form_means_the_same_payment(sender: Sender) -> None:
    outcomes = [outcome for file in landed((sender,), bad_rate=0) for outcome in cleaned(file)]

    for payment, outcome in zip(transactions(), outcomes, strict=True):
        assert isinstance(outcome, Published)
        sent = decode_transaction(msgspec.json.encode(payment.record))
        read = decode_transaction(outcome.record)
        # The old system only has milliseconds, and the job replaces card numbers with its own tokens.
        assert abs((read.timestamp - sent.timestamp).total_seconds()) < 0.001
        assert (read.card_id is None) == (sent.card_id is None)
        like_sent = msgspec.structs.replace(read, timestamp=sent.timestamp, card_id=sent.card_id)
        assert like_sent == sent


def test_bad_rows_come_on_top_and_every_problem_occurs() -> None:
    files = landed()

    problems = Counter(bad.problem for file in files for bad in file.bad_rows)

    assert sum(file.transactions for file in files) == 1_500
    assert problems.keys() == set(PROBLEMS)


def test_three_rows_in_a_thousand_are_bad_unless_said_otherwise() -> None:
    many = itertools.islice(itertools.cycle(transactions()), 12_000)

    bad = sum(len(file.bad_rows) for file in landing_files(many, LandingConfig(run="r", senders=(PLAIN,))))

    assert 18 <= bad <= 60


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert landed() == landed()


def test_file_names_are_unique_and_carry_the_run() -> None:
    names = [file.name for file in landed()]

    assert len(set(names)) == len(names)
    assert all("-r-" in name for name in names)


def test_files_are_closed_at_their_size_and_hold_one_senders_users() -> None:
    files = landed()

    assert all(file.transactions + len(file.bad_rows) <= 101 for file in files)
    senders_of_user: dict[str, set[str]] = {}
    for file in files:
        for outcome in cleaned(file):
            if isinstance(outcome, Published):
                senders_of_user.setdefault(outcome.user_id, set()).add(file.name.split("-")[0])
    assert {len(senders) for senders in senders_of_user.values()} == {1}


def test_card_numbers_are_valid_test_numbers() -> None:
    numbers = {card_number(f"card-{index}") for index in range(500)}

    assert len(numbers) == 500
    assert all(len(number) == 16 and number.startswith("400000") for number in numbers)
    tokens = CardTokens(b"a key of sixteen bytes")
    assert all(tokens.replace(number) == tokens.token(number) for number in numbers)


def test_a_row_that_only_has_its_line_lands_as_it_is() -> None:
    row = SentPayment(record={}, raw=b"\xff not a row\r\n")

    (file,) = landing_files([row], LandingConfig(run="r", bad_rate=0, senders=(PLAIN,)))

    assert file.data == b"\xff not a row\n"
    assert file.transactions == 1
