"""The backtest's job reads its arguments, and names the one that is missing or wrong."""

from __future__ import annotations

import pytest

from glue_scripts.backtest_arguments import BacktestArguments, parse_backtest_arguments

NEEDED = [
    "--rows_path",
    "s3://e/exports/",
    "--rules_path",
    "s3://w/rules.yaml",
    "--report_path",
    "s3://w/report.txt",
]


def test_what_is_needed_is_enough_and_labels_are_looked_for_beside_the_rows() -> None:
    assert parse_backtest_arguments(NEEDED) == BacktestArguments(
        rows_path="s3://e/exports/",
        labels_path="s3://e/exports/",
        rules_path="s3://w/rules.yaml",
        named_models_path=None,
        model_path=None,
        report_path="s3://w/report.txt",
        scores_path=None,
        label_delay_days=0.0,
    )


def test_arguments_of_glue_itself_are_ignored() -> None:
    given = parse_backtest_arguments([*NEEDED, "--JOB_NAME", "j", "--TempDir", "s3://t/", "--label", "x"])

    assert given == parse_backtest_arguments(NEEDED)


def test_all_arguments_are_read() -> None:
    given = parse_backtest_arguments(
        [
            *NEEDED,
            *("--labels_path", "l"),
            *("--named_models_path", "n"),
            *("--model_path", "m"),
            *("--scores_path", "s"),
            *("--label_delay_days", "7.5"),
        ]
    )

    assert (given.labels_path, given.named_models_path, given.model_path) == ("l", "n", "m")
    assert (given.scores_path, given.label_delay_days) == ("s", 7.5)


@pytest.mark.parametrize("missing", ["--rows_path", "--rules_path", "--report_path"])
def test_a_missing_argument_is_named(missing: str, capsys: pytest.CaptureFixture[str]) -> None:
    place = NEEDED.index(missing)

    with pytest.raises(SystemExit):
        parse_backtest_arguments([*NEEDED[:place], *NEEDED[place + 2 :]])

    assert missing in capsys.readouterr().err


@pytest.mark.parametrize("days", ["-1", "3651", "week", "nan"])
def test_days_out_of_range_are_refused_by_their_argument(
    days: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_backtest_arguments([*NEEDED, "--label_delay_days", days])

    assert "--label_delay_days" in capsys.readouterr().err
