"""The line that the job prints for a batch, and how the local stack reads it."""

from __future__ import annotations

import json

import pytest

from contract.card_tokens import CardTokens
from glue_scripts import stream_transactions
from glue_scripts.arguments import parse_arguments
from glue_scripts.label_queue import LabelsNotSentError
from glue_scripts.progress import (
    Counts,
    batch_line,
    labels_failed_line,
    labels_line,
    labels_ready_line,
    ready_line,
)
from local.ingestion import IngestionProgress, LabelsProgress, read_progress


def line(batch_id: int, published: int, quarantined: int, **dropped: int) -> str:
    return batch_line(batch_id, Counts(published, quarantined, dropped), duration_ms=5, at_ms=1) + "\n"


def test_every_metric_of_a_line_has_its_value_beside_it() -> None:
    counts = Counts(10, 2, {"note": 4}, refunds=3, files_without_payments=1, canaries=2, reserved_users=1)

    said = json.loads(batch_line(3, counts, duration_ms=5, at_ms=1))

    (metrics,) = said["_aws"]["CloudWatchMetrics"]
    assert {metric["Name"]: said[metric["Name"]] for metric in metrics["Metrics"]} == {
        "published": 10,
        "quarantined": 2,
        "reserved_users": 1,
        "dropped_values": 4,
        "duration_ms": 5,
    }
    assert metrics["Dimensions"] == [["service"]]
    assert (said["rows_in"], said["refunds"], said["files_without_payments"]) == (15, 3, 1)
    assert said["dropped_columns"] == {"note": 4}


def test_a_thousand_invented_columns_make_a_short_line() -> None:
    invented = {f"{number}{'x' * 1000}": 2 for number in range(1000)}

    said = json.loads(line(1, 1, 0, **invented))

    assert len(said["dropped_columns"]) == 21
    assert said["dropped_columns"]["..."] == 2 * 980
    assert said["dropped_values"] == 2000
    assert len(json.dumps(said)) < 4096


def test_columns_that_nobody_named_are_one_count() -> None:
    counts = Counts(1, 0, {"note": 4, "label": 3}, other_dropped_values=5)

    said = json.loads(batch_line(0, counts, duration_ms=5, at_ms=1))

    assert said["dropped_columns"] == {"note": 4, "label": 3, "...": 5}
    assert said["dropped_values"] == 12


def test_rows_that_our_own_code_failed_on_have_a_count_of_their_own() -> None:
    said = json.loads(batch_line(0, Counts(1, 3, internal_errors=2), duration_ms=5, at_ms=1))

    assert (said["rows_in"], said["quarantined"], said["internal_errors"]) == (4, 3, 2)


def test_progress_is_read_from_among_warnings() -> None:
    log = [
        "26/01/05 12:30:00 WARN Something: {not json}\n",
        ready_line("s3://landing/", "transaction_stream") + "\n",
        line(0, 10, 1, note=3),
        line(1, 5, 0, note=2, label=1),
    ]

    assert read_progress(log) == IngestionProgress(True, 2, 15, 1, {"note": 5, "label": 1})


def test_a_repeated_batch_counts_once() -> None:
    assert read_progress([line(0, 10, 1), line(0, 10, 1)]).published == 10


@pytest.mark.parametrize("written", [10, 100])
def test_an_incomplete_line_is_ignored(written: int) -> None:
    assert read_progress([line(0, 10, 1)[:written]]) == IngestionProgress(False, 0, 0, 0, {})


def test_environments_do_not_add_their_figures_up() -> None:
    said = json.loads(batch_line(0, Counts(1, 0, {}), duration_ms=5, at_ms=1, namespace="FraudDetection/dev"))

    assert said["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "FraudDetection/dev"


def test_the_ready_line_has_the_digest_that_an_unfinished_batch_is_reported_with() -> None:
    said = json.loads(ready_line("s3://landing/", "t", ["b", "a"], "0a1b"))

    assert (said["mapped_prefixes"], said["mappings_digest"]) == (["a", "b"], "0a1b")


def test_the_ready_line_of_the_job_holds_no_card_number() -> None:
    key, visa = b"a key for these tests", "4111111111111111"
    values = {
        "landing_path": f"s3://landing/{visa}/",
        "quarantine_path": "q",
        "checkpoint_path": "c",
        "kafka_bootstrap_servers": "k",
        "tokenization_key": "env:K",
    }
    arguments = parse_arguments([part for name, value in values.items() for part in (f"--{name}", value)])

    feed = stream_transactions.payments_feed(arguments)

    assert stream_transactions.shown(feed, key) == f"s3://landing/{CardTokens(key).token(visa)}/"


def labels(batch_id: int, sent: int, quarantined: int) -> str:
    return labels_line(batch_id, Counts(sent, quarantined), duration_ms=5, at_ms=1) + "\n"


def failed(error: Exception) -> str:
    return labels_failed_line(error, retry_seconds=10, at_ms=1) + "\n"


def test_a_batch_of_labels_has_metrics_of_its_own() -> None:
    counts = Counts(10, 2, {"note": 4}, refunds=3, files_without_payments=1)

    said = json.loads(labels_line(3, counts, duration_ms=5, at_ms=1, namespace="FraudDetection/dev"))

    (metrics,) = said["_aws"]["CloudWatchMetrics"]
    assert said["service"] == "label_files"
    assert metrics["Namespace"] == "FraudDetection/dev"
    assert {metric["Name"]: said[metric["Name"]] for metric in metrics["Metrics"]} == {
        "sent": 10,
        "quarantined": 2,
        "duration_ms": 5,
    }
    assert (said["rows_in"], said["no_label"], said["files_without_labels"]) == (15, 3, 1)


def test_labels_and_payments_of_one_log_are_counted_apart_and_a_repeated_batch_once() -> None:
    log = [
        ready_line("s3://l/", "t") + "\n",
        labels_ready_line("s3://l/", [], "0a") + "\n",
        line(0, 10, 1),
        labels(0, 4, 2),
        labels(0, 4, 2),
        labels(1, 3, 0),
    ]

    progress = read_progress(log)

    assert (progress.published, progress.quarantined, progress.batches) == (10, 1, 1)
    assert progress.labels == LabelsProgress(ready=True, sent=7, quarantined=2)


def test_a_failure_of_labels_is_said_until_their_query_runs_again() -> None:
    ready = labels_ready_line("s3://l/", [], "0a") + "\n"
    log = [ready, failed(LabelsNotSentError({"Internal": 1}))]

    assert read_progress(log).labels.failure.startswith(
        "LabelsNotSentError the labels queue refused 1 messages"
    )
    assert not read_progress(log).labels.ready
    assert read_progress([*log, ready]).labels == LabelsProgress(ready=True)


def test_an_error_that_spark_reports_from_a_worker_is_quoted_by_its_last_line() -> None:
    text = """An exception was thrown from Python
Traceback (most recent call last):
  File "stage.py", line 1, in send
    raise ValueError
botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the SendMessageBatch operation: no
"""

    said = json.loads(failed(RuntimeError(text)))

    assert said["error"] == "ClientError"
    assert said["problem"].startswith("An error occurred (AccessDenied)")


def test_an_error_of_others_is_named_without_its_text_which_may_hold_a_row() -> None:
    said = json.loads(failed(ValueError("4111111111111111")))

    assert (said["error"], said["problem"]) == ("ValueError", "")
