"""Spark decides again about an export as the engine does, whatever is in its files, and reports what was asked for."""

from __future__ import annotations

import csv
import gzip
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contract.exports import ExportError, write_item
from contract.items import to_item
from contract.scored import HISTORY_TABLE, to_history_item
from engine.decide import decide_again
from engine.errors import InvalidModelError, InvalidRulesetError
from engine.rules.ruleset import parse_ruleset
from glue_scripts import exports, redeciding
from glue_scripts.backtest_arguments import parse_backtest_arguments
from glue_scripts.backtest_rows import backtest
from lab.exports import write_export
from lab.models import model_of, with_model
from lab.pages.page import PAGE_SUFFIX, from_json
from lab.rows.deciding import RowJudge
from lab.rows.truth import Finding, LabelBook, counting_finding, payment_hash
from lab.simulated_rows import ENDS_AT, EXPIRES_AT_S, labels_of, simulated_rows
from local.backtest_rows import join_parts
from tests.support.past_samples import PACKED_BY_SET_861800
from tests.support.payments import make_scored
from tests.support.two_models import rules_naming, two_models

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import SparkSession

    from contract.items import Item
    from contract.scored import ScoredTransaction
    from lab.simulated_rows import SimulatedRow

    Run = Callable[..., str]

# PySpark 3.5 compares the versions of pandas and pyarrow with it; on Python 3.11 it is still there.
pytestmark = pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning")

SEED = 7
RULES = Path("rules/default.yaml")
MODEL = Path("models/default.json")
RULESET = parse_ruleset(RULES.read_text())
OLD = make_scored(features=b64decode(PACKED_BY_SET_861800), feature_set="861800")


@pytest.fixture(scope="module")
def simulated() -> list[SimulatedRow]:
    """Rows that the default rules decided."""
    return list(simulated_rows(1_500, SEED, RULESET))


@pytest.fixture
def exported(tmp_path: Path, simulated: list[SimulatedRow]) -> Path:
    """An export of the rows in files of 400, with one of an older feature set, and one of the labels."""
    items = [to_history_item(row, EXPIRES_AT_S) for row in (*(each.row for each in simulated), OLD)]
    labels: list[Item] = [to_item(label) for each in simulated for label in labels_of(each, SEED)]
    write_export(tmp_path / "e/AWSDynamoDB/1", f"fraud-dev-{HISTORY_TABLE}", items, ENDS_AT, 400)
    write_export(tmp_path / "e/AWSDynamoDB/2", "fraud-dev-labels", labels, ENDS_AT)
    return tmp_path / "e"


@pytest.fixture
def run(spark: SparkSession, exported: Path, tmp_path: Path) -> Run:
    """Run the job over the export with more arguments; gives its report."""

    def run(*more: str, rules: Path = RULES) -> str:
        arguments = ["--rows_path", str(exported), "--rules_path", str(rules)]
        return backtest(
            spark,
            parse_backtest_arguments([*arguments, "--report_path", str(tmp_path / "out/report.txt"), *more]),
        )

    return run


def expected_book(simulated: list[SimulatedRow]) -> LabelBook:
    findings = {
        payment_hash(each.row.transaction.user_id, each.row.event_key): finding
        for each in simulated
        if (finding := counting_finding(labels_of(each, SEED))) is not None
    }
    assert set(findings.values()) == {Finding.FRAUD}
    return LabelBook(findings)


def test_what_spark_counts_is_what_one_process_counts(
    spark: SparkSession, exported: Path, simulated: list[SimulatedRow]
) -> None:
    documents = redeciding.Documents(
        RULES.read_text(), "rules", model=MODEL.read_bytes(), model_source="model"
    )
    book, rules = expected_book(simulated), with_model(RULESET, model_of(MODEL), "model")
    rows: list[ScoredTransaction] = [*(each.row for each in simulated), OLD]
    judge = RowJudge(rules, book)
    judged = list(judge.judge_all((write_item(to_history_item(row, 0)), "") for row in rows))

    export = exports.newest_export(spark, str(exported), HISTORY_TABLE)
    assert export is not None
    tally = redeciding.decide_again(exports.read_lines(spark, export), documents, book)

    assert [each.again.assessment for each in judged] == [decide_again(row, rules).assessment for row in rows]
    for side in (tally.stored, tally.again, judge.tally.stored, judge.tally.again):
        side.alerts.sort()
    assert tally == judge.tally
    assert tally.again.only.payments > 0


def test_all_files_are_decided_about_at_once(spark: SparkSession, exported: Path) -> None:
    export = exports.newest_export(spark, str(exported), HISTORY_TABLE)
    assert export is not None
    lines = exports.read_lines(spark, export)
    spark.sparkContext.setJobGroup("at once", "one job whose tasks Spark may run side by side")

    redeciding.decide_again(lines, redeciding.Documents(RULES.read_text(), "rules"), LabelBook({}))

    (job,) = spark.sparkContext.statusTracker().getJobIdsForGroup("at once")
    found = spark.sparkContext.statusTracker().getJobInfo(job)
    assert found is not None
    (stage,) = (spark.sparkContext.statusTracker().getStageInfo(each) for each in found.stageIds)
    assert stage is not None
    assert stage.numTasks == lines.rdd.getNumPartitions() > 1


def test_the_champion_decides_also_where_the_candidate_has_a_model_of_its_own(
    run: Run, tmp_path: Path, simulated: list[SimulatedRow]
) -> None:
    models = two_models(tmp_path / "models")
    rules = tmp_path / "rules.yaml"
    rules.write_text(rules_naming(*models))

    report = run(
        "--named_models_path", str(tmp_path / "models"), "--scores_path", str(tmp_path / "s"), rules=rules
    )

    champion = parse_ruleset(rules.read_text(), "rules", models.get).without_candidate()
    assert champion.model_sha256 is not None
    join_parts(sorted((tmp_path / "s").glob("part-*.csv")), tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="") as file:
        points = {row["transaction_id"]: int(row["points"]) for row in csv.DictReader(file)}
    assert f"model {champion.model_sha256[:12]}, without its candidate 2" in report
    assert all(
        points[each.row.transaction.transaction_id] == decide_again(each.row, champion).assessment.points
        for each in simulated
    )


def test_a_model_that_is_named_and_was_not_sent_is_named(run: Run, tmp_path: Path) -> None:
    models = two_models(tmp_path / "models")
    rules = tmp_path / "rules.yaml"
    rules.write_text(rules_naming(*models))
    (tmp_path / "models/1.json").unlink()

    with pytest.raises(InvalidRulesetError, match=f"sha256 {[*models][1][:12]}"):
        run("--named_models_path", str(tmp_path / "models"), rules=rules)


def test_the_labels_that_count_are_found(
    spark: SparkSession, exported: Path, simulated: list[SimulatedRow]
) -> None:
    export = exports.newest_export(spark, str(exported), "labels")
    assert export is not None

    found = LabelBook(redeciding.counting_labels(exports.read_lines(spark, export)))

    expected = expected_book(simulated)
    assert len(found) == len(expected)
    assert all(
        found.finding(each.row, each.row.event_key, 0) is expected.finding(each.row, each.row.event_key, 0)
        for each in simulated
    )


def test_the_report_is_written_and_names_what_it_was_made_from(run: Run, tmp_path: Path) -> None:
    report = run("--model_path", str(MODEL))

    assert (tmp_path / "out/report.txt").read_text() == report + "\n"
    assert "1,501 rows, 1,501 payments decided again" in report
    assert f"now: ruleset {RULESET.stored_version}, model {model_of(MODEL).sha256[:12]}" in report
    assert "rows of feature set 861800 lack" in report
    assert "as of 2026-11-01T00:00:00.000000Z" in report
    assert "%" in report
    page = from_json((tmp_path / f"out/report.txt{PAGE_SUFFIX}").read_bytes())
    assert page.answer.startswith("Of 1,501 payments they flag ")
    assert "as of 2026-11-01T00:00:00.000000Z" in page.made_by


def test_scores_say_of_each_payment_what_is_decided_and_what_was(
    run: Run, tmp_path: Path, simulated: list[SimulatedRow]
) -> None:
    run("--model_path", str(MODEL), "--scores_path", str(tmp_path / "scores"))

    count = join_parts(sorted((tmp_path / "scores").glob("part-*.csv")), tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = {row["transaction_id"]: row for row in csv.DictReader(file)}
    rules = with_model(RULESET, model_of(MODEL), "model")
    assert count == len(rows) == len(simulated) + 1
    for each in simulated:
        again, row = decide_again(each.row, rules), rows[each.row.transaction.transaction_id]
        assert (row["decision"], row["points"]) == (
            again.assessment.decision.value,
            str(again.assessment.points),
        )
        assert row["reason_ids"].split() == [reason.rule_id for reason in again.assessment.reasons]
        assert float(row["fraud_probability"]) == again.features["fraud_probability"]
        assert (row["stored_decision"], row["stored_risk_score"]) == (
            each.row.decision.value,
            str(each.row.risk_score),
        )
    assert {row["label"] for row in rows.values()} == {"fraud", "honest", ""}


def test_without_labels_nothing_is_said_of_fraud(run: Run, tmp_path: Path) -> None:
    write_export(tmp_path / "none", "other", [], ENDS_AT)

    write_export(tmp_path / "empty", "labels", [], ENDS_AT)

    for place in ("none", "empty"):
        report = run("--labels_path", str(tmp_path / place))

        assert "No labels" in report
        assert "%" not in report


def test_young_payments_are_in_no_share(run: Run) -> None:
    assert "of the 0 payments that count in shares 0 are fraud" in run("--label_delay_days", "3650")


def test_an_export_without_a_file_that_its_summary_counts_is_refused(run: Run, exported: Path) -> None:
    next((exported / "AWSDynamoDB/1/data").iterdir()).unlink()

    with pytest.raises(ExportError, match=r"1,\d\d\d rows in its files, 1,501 by its summary"):
        run()
    next((exported / "AWSDynamoDB/2/data").iterdir()).unlink()
    with pytest.raises(ExportError, match=r"AWSDynamoDB/2: 0 rows in its files, \d+ by its summary"):
        run()


def test_a_damaged_line_is_counted_and_stops_nothing(run: Run, exported: Path) -> None:
    file = exported / "AWSDynamoDB/1/data/00000.json.gz"
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join([b'{"Item":{"user_id":{"S":"u"}}}\n', *lines[1:]])))

    report = run()

    assert "1 cannot be read" in report
    assert "the first: 00000.json.gz: transaction_history.detail: missing" in report


def test_a_folder_without_an_export_is_refused_by_its_name(
    spark: SparkSession, tmp_path: Path, run: Run
) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(ExportError, match=r"empty: no complete export of transaction_history that has a row"):
        run("--rows_path", str(tmp_path / "empty"))
    with pytest.raises(ExportError, match=r"absent: there is no such folder"):
        run("--rows_path", str(tmp_path / "absent"))


def test_documents_that_cannot_be_used_are_refused_before_any_row_is_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text("version: 1\n")
    (tmp_path / "model.json").write_text("{}")

    with pytest.raises(InvalidRulesetError, match=r"rules\.yaml:1:1: "):
        run(rules=tmp_path / "rules.yaml")
    with pytest.raises(InvalidModelError, match=r"model\.json: "):
        run("--model_path", str(tmp_path / "model.json"))


def test_rows_in_another_base_currency_are_refused_by_its_name(run: Run, tmp_path: Path) -> None:
    rules = RULES.read_text().replace("base_currency: USD", "base_currency: EUR", 1)
    (tmp_path / "rules.yaml").write_text(rules.replace("  EUR: ", "  USD: ", 1))

    with pytest.raises(ExportError, match=r"rows have amounts in USD; the ruleset's are in EUR"):
        run(rules=tmp_path / "rules.yaml")
