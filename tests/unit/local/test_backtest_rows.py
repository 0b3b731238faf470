"""The backtest of stored rows runs here as the job that Glue runs, with what the analyst has named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import lab.models
from glue_scripts.backtest_arguments import parse_backtest_arguments
from lab.backtest.scores import COLUMNS, MODEL_COLUMNS
from lab.pages.page import PAGE_SUFFIX, to_json
from lab.rows.scores import columns
from local import backtest_rows
from tests.support.report_pages import page_of
from tests.support.two_models import rules_naming, two_models

PAGE = page_of("a word")


class Spark:
    """In the place of the job: writes what it would write."""

    def __init__(self, code: int = 0) -> None:
        self.commands: list[list[str]] = []
        self._code = code

    def __call__(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        arguments = parse_backtest_arguments(command[2:])
        if not self._code:
            report = Path(arguments.report_path.removeprefix("file://"))
            report.write_text("the report\n")
            Path(f"{report}{PAGE_SUFFIX}").write_bytes(to_json(PAGE))
        if arguments.named_models_path:
            folder = Path(arguments.named_models_path.removeprefix("file://"))
            self.named_models = sorted(file.read_bytes() for file in folder.iterdir())
        if arguments.scores_path:
            folder = Path(arguments.scores_path.removeprefix("file://"))
            folder.mkdir()
            (folder / "part-0.csv").write_text("a,b\n1,2\n")
            (folder / "part-1.csv").write_text("")
            (folder / "part-2.csv").write_text('a,b\n"3,",4\n')
        return subprocess.CompletedProcess(command, self._code, "")


@pytest.fixture
def spark(monkeypatch: pytest.MonkeyPatch) -> Spark:
    job = Spark()
    monkeypatch.setattr(subprocess, "run", job)
    return job


def test_the_job_is_the_one_of_glue_and_gets_what_was_named(
    spark: Spark, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "my rows"

    done = backtest_rows.main(
        ["--rows", str(rows), "--model", "models/default.json", "--label-delay-days", "7"]
    )

    (command,) = spark.commands
    assert command[:2] == [sys.executable, str(backtest_rows.SCRIPT)]
    arguments = parse_backtest_arguments(command[2:])
    assert arguments.rows_path == f"file://{rows}"
    assert arguments.model_path == f"file://{Path('models/default.json').resolve()}"
    assert (arguments.scores_path, arguments.named_models_path, arguments.label_delay_days) == (
        None,
        None,
        7.0,
    )
    assert (done, capsys.readouterr().out) == (0, "the report\n")


def test_scores_become_one_file(spark: Spark, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new/scores.csv"

    backtest_rows.main(["--rows", str(tmp_path), "--out", str(out)])

    assert out.read_text() == 'a,b\n1,2\n"3,",4\n'
    assert f"scores: {out}, 2 payments" in capsys.readouterr().out


def test_the_models_that_a_ruleset_and_its_candidate_name_are_sent_with_it(
    spark: Spark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = two_models(tmp_path / "models")
    monkeypatch.setattr(lab.models, "MODELS", tmp_path / "models")
    rules = tmp_path / "rules.yaml"
    rules.write_text(rules_naming(*models))

    backtest_rows.main(["--rows", str(tmp_path), "--rules", str(rules)])

    assert spark.named_models == sorted(models.values())


def test_a_model_that_is_not_here_is_left_to_the_job_which_names_it(spark: Spark, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(rules_naming("a" * 64))

    backtest_rows.main(["--rows", str(tmp_path), "--rules", str(rules)])

    assert not hasattr(spark, "named_models")


def test_a_job_that_fails_gives_its_exit_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(subprocess, "run", Spark(code=3))

    assert backtest_rows.main(["--rows", str(tmp_path)]) == 3


def test_a_ruleset_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert backtest_rows.main(["--rows", str(tmp_path), "--rules", str(tmp_path / "r.yaml")]) == 1

    assert "r.yaml" in capsys.readouterr().err


def test_cores_are_those_of_spark(tmp_path: Path) -> None:
    for cores, master in ((2, "local[2]"), (0, "local[*]")):
        _, environment = backtest_rows.backtest_command(
            tmp_path, tmp_path, None, None, tmp_path, None, cores=cores
        )

        assert f"--master {master} " in environment["PYSPARK_SUBMIT_ARGS"]


def test_scores_have_the_columns_of_the_backtest_first() -> None:
    without, with_model = ([each.name for each in columns(has_model=has)] for has in (False, True))

    assert without[: len(COLUMNS)] == [each.name for each in COLUMNS]
    assert with_model[: len(MODEL_COLUMNS)] == [each.name for each in MODEL_COLUMNS]
    assert without[len(COLUMNS) :] == with_model[len(MODEL_COLUMNS) :]


def test_the_page_of_the_job_is_written_and_its_path_printed(
    spark: Spark, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "reports" / "backtest.html"

    assert backtest_rows.main(["--rows", str(tmp_path), "--page", str(page)]) == 0

    assert spark.commands
    assert "<h1>a word</h1>" in page.read_text(encoding="utf-8")
    assert capsys.readouterr().out == f"the report\nreport: {page}\n"
