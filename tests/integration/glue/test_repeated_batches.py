"""A batch that is stopped after Kafka took it, and what the next start makes of it; Kafka is a list here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from contract.card_tokens import CardTokens
from glue_scripts import files, stream_transactions, transforms
from glue_scripts.pins import MappingsChangedError, Pin
from local.components.aws_api import CREDENTIALS
from local.ingestion import s3a_settings
from tests.integration.glue.job_on_folders import BAD, HEADER, KEY, MAPPING, ROW, Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession


# PySpark 3.5 compares the versions of pandas and pyarrow with it; on Python 3.11 it is still there.
pytestmark = pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning")

VISA = "4111111111111111"


@pytest.fixture
def job(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    job = Job(spark, tmp_path, monkeypatch)
    job.write("mappings/acme.yaml", MAPPING)
    return job


def test_a_batch_that_kafka_took_is_not_published_again_under_another_mapping(job: Job) -> None:
    job.write("landing/acme/a.csv", HEADER + ROW)
    job.run_killed()
    job.write("mappings/acme.yaml", MAPPING.replace("ZEIT", "{column: ZEIT, timezone: Europe/Paris}"))

    with pytest.raises(MappingsChangedError, match="batch 0 was begun with the mappings of digest") as error:
        job.run()

    assert error.value.pinned != error.value.digest
    assert len(job.topic) == 1

    # As the message says: the old mapping until the batch is through, then the new one.
    job.write("mappings/acme.yaml", MAPPING)
    job.run()
    job.write("mappings/acme.yaml", MAPPING.replace("ZEIT", "{column: ZEIT, timezone: Europe/Paris}"))
    job.write("landing/acme/b.csv", HEADER + ROW.replace("t-1", "t-3"))
    job.run()
    assert [(record["transaction_id"], record["timestamp"]) for record in job.topic] == [
        ("t-1", "2026-01-05T12:30:00Z"),
        ("t-1", "2026-01-05T12:30:00Z"),
        ("t-3", "2026-01-05T11:30:00Z"),
    ]
    assert job.pins() == ["1"]


def test_a_first_mapping_waits_for_the_batch_that_was_read_without(job: Job) -> None:
    job.write(
        "landing/acme/a.jsonl", '{"id": "t-1", "user": "u-1", "amount": 5, "time": "2026-01-05 12:30:00"}'
    )
    job.run_killed(with_mappings=False)

    with pytest.raises(MappingsChangedError, match="batch 0 "):
        job.run()

    job.run(with_mappings=False)
    assert [record["transaction_id"] for record in job.topic] == ["t-1", "t-1"]


def test_a_batch_that_no_sink_has_seen_may_be_read_by_other_mappings(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.write("landing/acme/a.csv", HEADER + ROW)

    def fail(_cleaned: DataFrame) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(transforms, "counts", fail)
        with pytest.raises(Exception, match="out of memory"):
            job.run()
    job.write("mappings/acme.yaml", MAPPING.replace(", unit: minor", ""))
    job.run()

    assert [record["amount"] for record in job.topic] == ["1250"]


def test_rows_that_the_second_try_publishes_do_not_stay_in_quarantine(job: Job) -> None:
    job.write("landing/acme/a.csv", HEADER + ROW + BAD)
    job.run_killed()
    assert [row["line"] for row in job.quarantined()] == [3]
    # What was unreadable can be readable: another version of the object, or of the job.
    job.write("landing/acme/a.csv", HEADER + ROW + BAD.replace("viel", "700"))

    job.run()

    assert [record["transaction_id"] for record in job.topic] == ["t-1", "t-1", "t-2"]
    assert job.quarantined() == []


@pytest.fixture
def working_directory(spark: SparkSession, job: Job) -> Iterator[None]:
    """Make the test's folder the one that Hadoop's relative paths begin at."""
    context: Any = spark.sparkContext
    hadoop = context._jvm.org.apache.hadoop.fs
    local = hadoop.FileSystem.getLocal(context._jsc.hadoopConfiguration())
    before = local.getWorkingDirectory()
    local.setWorkingDirectory(hadoop.Path(str(job.folder)))
    yield
    local.setWorkingDirectory(before)


@pytest.mark.usefixtures("working_directory")
@pytest.mark.parametrize(
    "landing", ["file://{}//landing", "{}/./landing/", "file:{}/x/../landing", "landing"]
)
def test_files_have_their_mapping_however_the_landing_path_is_written(job: Job, landing: str) -> None:
    job.write("landing/acme/a b%20c.csv", HEADER + ROW)

    job.run(landing.format(job.folder))

    assert [record["amount"] for record in job.topic] == ["12.50"]


def test_a_card_number_in_the_name_of_a_file_does_not_reach_quarantine(job: Job) -> None:
    job.write(f"landing/{VISA}/4111-1111-1111-1111.jsonl", "{}\n")
    job.write(f"landing/{VISA}.csv.gz", "no gzip")

    job.run(with_mappings=False)

    token = CardTokens(KEY).token(VISA)
    assert sorted(row["file"] for row in job.quarantined()) == [
        f"file:{job.folder}/landing/{token}.csv.gz",
        f"file:{job.folder}/landing/{token}/{token}.jsonl",
    ]


def test_pins_are_written_once_and_removed_on_s3_as_on_a_disk(
    job: Job,
    spark: SparkSession,
    aws_client: Callable[[str], Any],
    aws_endpoint: str,
    unique_name: Callable[[str], str],
) -> None:
    bucket = unique_name("work")
    aws_client("s3").create_bucket(Bucket=bucket)
    context: Any = spark.sparkContext
    settings = context._jsc.hadoopConfiguration()
    for name, value in s3a_settings(aws_endpoint).items():
        settings.set(name.removeprefix("spark.hadoop."), value)
    settings.set("fs.s3a.aws.credentials.provider", "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider")
    settings.set("fs.s3a.access.key", CREDENTIALS["AWS_ACCESS_KEY_ID"])
    settings.set("fs.s3a.secret.key", CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
    arguments = replace(
        job.arguments(f"s3://{bucket}//in/./", with_mappings=False),
        checkpoint_path=f"s3://{bucket}/checkpoints/job/",
    )

    created = [
        stream_transactions.pin_mappings(spark, pin, stream_transactions.payments_feed(arguments))
        for pin in (Pin(0, "0a"), Pin(0, "0a"), Pin(1, "2b"), Pin(1, "2b"))
    ]

    folder = f"s3://{bucket}/checkpoints/job/mappings"
    assert created == [True, False, True, False]
    assert files.names_in(spark, folder) == ["1-2b"]
    assert files.names_in(spark, f"s3://{bucket}/checkpoints/job/commits") == []
    assert files.qualified(spark, arguments.landing_path) == f"s3://{bucket}/in"
    files.remove(spark, folder)
    files.remove(spark, folder)
    assert files.names_in(spark, folder) == []
