"""Errors that stages share say what is wrong."""

from __future__ import annotations

from common.errors import OutOfTimeError, SettingsError, StageError


def test_settings_error_names_every_variable_with_its_problem() -> None:
    error = SettingsError({"TABLE": "missing or empty", "DAYS": "Expected `int`"})

    assert str(error) == "TABLE: missing or empty; DAYS: Expected `int`"
    assert isinstance(error, StageError)


def test_out_of_time_error_says_what_a_record_needs() -> None:
    assert str(OutOfTimeError(5_000)) == "less than 5000 ms left"
