"""The options of `make train`."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime

import pytest

from training.__main__ import main
from training.options import delay_days, until_of, window_of
from training.point_in_time import Window


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("2018-07-31", datetime(2018, 8, 1, tzinfo=UTC)),
        ("2018-07-31T12:00:00Z", datetime(2018, 7, 31, 12, tzinfo=UTC)),
        ("2018-07-31T12:00:00+02:00", datetime(2018, 7, 31, 10, tzinfo=UTC)),
    ],
)
def test_a_date_means_the_end_of_that_day_and_a_time_that_moment(text: str, until: datetime) -> None:
    assert until_of(text) == until


@pytest.mark.parametrize("text", ["2018-07-32", "yesterday", "2018-07-31T12:00:00"])
def test_what_is_no_time_with_a_zone_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=text):
        until_of(text)


def test_the_days_that_are_trained_on_end_when_their_labels_had_the_time_to_become_known() -> None:
    until = datetime(2018, 8, 1, tzinfo=UTC)

    window = window_of(until, 28, 7.0)

    days = [datetime(2018, 6, 27, tzinfo=UTC), datetime(2018, 7, 25, tzinfo=UTC), until]
    assert window == Window(*(int(day.timestamp()) for day in days))


@pytest.mark.parametrize("text", ["-1", "3651"])
def test_a_delay_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="0 to 3650"):
        delay_days(text)


def test_the_delay_of_all_labels_is_one_number_of_days() -> None:
    assert delay_days("7") == 7.0


def test_data_and_simulation_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--data", "a.csv", "--simulate", "5", "--until", "2018-07-31"])

    assert "not allowed with" in capsys.readouterr().err


def test_a_file_that_does_not_exist_ends_the_command_with_its_name() -> None:
    with pytest.raises(SystemExit, match=r"nowhere\.csv"):
        main(["--data", "nowhere.csv", "--until", "2018-07-31"])
