"""The entry point of the backtest of stored rows: a ruleset decides again about an export of the history. The same on Glue 5 and on a laptop.

Every worker decides about its own files and counts; the driver adds up what they counted (:mod:`lab.rows`).
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pyspark.sql import SparkSession

from contract.clock import EPOCH, MILLISECOND, time_text
from contract.exports import ExportError
from contract.label import LABELS_TABLE
from contract.scored import HISTORY_TABLE
from engine.errors import InvalidModelError, InvalidRulesetError
from glue_scripts import exports, files, redeciding
from glue_scripts.backtest_arguments import parse_backtest_arguments
from lab.pages.page import PAGE_SUFFIX, to_json
from lab.rows.page import rows_page
from lab.rows.report import differing_features, report_of
from lab.rows.text import as_text
from lab.rows.truth import NO_DELAY_MS, LabelBook

if TYPE_CHECKING:
    from engine.rules.ruleset import Ruleset
    from glue_scripts.backtest_arguments import BacktestArguments
    from lab.rows.tally import RowsTally

NO_BOOK: Final = LabelBook({})


def main() -> None:
    """Decide again, print the report, and write it."""
    arguments = parse_backtest_arguments(sys.argv[1:])
    spark = SparkSession.builder.appName("backtest-rows").getOrCreate()
    try:
        report = backtest(spark, arguments)
    except (ExportError, InvalidRulesetError, InvalidModelError) as error:
        sys.exit(str(error))
    print(report, flush=True)  # noqa: T201 - Glue sends it to the job's log group
    spark.stop()


def backtest(spark: SparkSession, arguments: BacktestArguments) -> str:
    """Decide again about every row of the newest export, and write the report and, on request, the scores.

    Parameters
    ----------
    spark : SparkSession
        The session; the caller configures its master and file systems.
    arguments : BacktestArguments
        What to read and where to write.

    Returns
    -------
    str
        The report, as it is written.

    Raises
    ------
    ExportError
        Where there is no export of the history, its files are not complete, or its amounts are in another base currency than the ruleset's.
    InvalidRulesetError, InvalidModelError
        With every problem of the document.
    """
    began = time.monotonic()
    documents = _documents(spark, arguments)
    ruleset = documents.ruleset()
    rows = exports.newest_export(spark, arguments.rows_path, HISTORY_TABLE)
    if rows is None or not rows.summary.item_count:
        raise ExportError(f"{arguments.rows_path}: no complete export of {HISTORY_TABLE} that has a row")
    book = _labels(spark, arguments)
    decided = redeciding.decide_again(exports.read_lines(spark, rows), documents, book, arguments.scores_path)
    exports.require_complete(rows, decided.rows)
    _require_currency(decided, ruleset)
    seconds = time.monotonic() - began
    figures, lacking = report_of(decided, ruleset.thresholds), differing_features(decided, ruleset)
    name, read = documents.name(ruleset), f"{rows.folder}, as of {time_text(rows.summary.export_time)}"
    text = as_text(figures, ruleset.thresholds, name, lacking, labels=len(book))
    speed = _speed_line(decided.rows, seconds, spark.sparkContext.defaultParallelism)
    report = "\n".join([text, "", read, speed])
    page = rows_page(figures, ruleset.thresholds, name, lacking, labels=len(book), read=read)
    files.write_text(spark, f"{arguments.report_path}{PAGE_SUFFIX}", to_json(page).decode())
    files.write_text(spark, arguments.report_path, report + "\n")
    return report


def _documents(spark: SparkSession, arguments: BacktestArguments) -> redeciding.Documents:
    return redeciding.Documents(
        rules=files.read_document(spark, arguments.rules_path).decode(),
        source=arguments.rules_path,
        named_models=_contents(spark, arguments.named_models_path),
        model=None if arguments.model_path is None else files.read_document(spark, arguments.model_path),
        model_source=arguments.model_path or "",
    )


def _contents(spark: SparkSession, folder: str | None) -> tuple[bytes, ...]:
    return () if folder is None else tuple(files.read_documents(spark, folder).values())


def _labels(spark: SparkSession, arguments: BacktestArguments) -> LabelBook:
    export = exports.newest_export(spark, arguments.labels_path, LABELS_TABLE)
    if export is None or not export.summary.item_count:
        return NO_BOOK
    lines = exports.read_lines(spark, export)
    exports.require_complete(export, lines.count())
    judged_until_ms = NO_DELAY_MS
    if arguments.label_delay_days:
        until = export.summary.export_time - timedelta(days=arguments.label_delay_days)
        judged_until_ms = (until - EPOCH) // MILLISECOND
    return LabelBook(redeciding.counting_labels(lines), judged_until_ms)


def _require_currency(tally: RowsTally, ruleset: Ruleset) -> None:
    others = sorted(tally.base_currencies.keys() - {ruleset.base_currency})
    if others:
        raise ExportError(
            f"rows have amounts in {', '.join(others)}; the ruleset's are in {ruleset.base_currency}"
        )


def _speed_line(rows: int, seconds: float, cores: int) -> str:
    return f"{rows:,} rows in {seconds:.1f} s, {cores} at a time: {rows / seconds:,.0f} rows a second"


if __name__ == "__main__":
    main()
