"""A landed file that replaces one of the same name is read, once, by the mappings of its place; Kafka is a list here."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from pyspark.errors import StreamingQueryException

from glue_scripts import files, stream_transactions
from glue_scripts.replaced import LOOK_SECONDS, Rereading, feed_of, replaced_files
from tests.integration.glue.job_on_folders import BAD, HEADER, KEY, MAPPING, ROW, Job

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from glue_scripts.feeds import Feed

# PySpark 3.5 compares the versions of pandas and pyarrow with it; on Python 3.11 it is still there.
pytestmark = pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning")

NAME = "landing/acme/a b%20[1].csv"
LANDED_S = 1_700_000_000


@pytest.fixture
def job(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    job = Job(spark, tmp_path, monkeypatch)
    job.write("mappings/acme.yaml", MAPPING)
    return job


class Rereads:
    """What reads replaced files of a job, as it is after a start of the job."""

    def __init__(self, spark: SparkSession, job: Job) -> None:
        self._feed, self._mappings = job.feed()
        self._spark = spark
        self.queries: list[StreamingQuery] = []
        self.errors: list[Exception] = []
        self._rereading = Rereading(spark, self._feed, self._begin, self.errors.append)

    def keep(self, now: float = 0.0) -> None:
        """Look, and read all that was found."""
        self._rereading.keep(now)
        for query in self.queries:
            with suppress(StreamingQueryException):  # the job sees it at its next look
                query.awaitTermination()
            self._rereading.keep(now)

    def _begin(self, feed: Feed) -> StreamingQuery:
        query = stream_transactions.start(self._spark, feed, KEY, self._mappings)
        self.queries.append(query)
        return query


def land(job: Job, text: str, after_s: int, name: str = NAME) -> None:
    job.write(name, text)
    os.utime(job.folder / name, (LANDED_S + after_s, LANDED_S + after_s))


def published(job: Job) -> list[tuple[str, str]]:
    return [(record["transaction_id"], record["amount"]) for record in job.topic]


def test_a_file_that_replaces_one_is_read_once_and_by_its_mapping(spark: SparkSession, job: Job) -> None:
    land(job, HEADER + ROW, 0)
    land(job, HEADER + ROW.replace("t-1", "t-9"), 0, "landing/acme/other.csv")
    job.run()
    land(job, HEADER + ROW + BAD.replace("viel", "700") + BAD, 2_400)
    job.topic.clear()

    job.run()
    assert job.topic == []  # Spark knows the name
    Rereads(spark, job).keep()
    again = Rereads(spark, job)
    again.keep()

    assert published(job) == [("t-1", "12.50"), ("t-2", "7.00")]
    assert [row["line"] for row in job.quarantined()] == [4]
    assert again.queries == []
    assert [(line["batch_id"], line["published"], "replaced" in line) for line in job.lines] == [
        (0, 2, False),
        (0, 2, True),
    ]


def test_a_file_is_looked_for_once_an_hour_and_each_time_it_is_replaced(
    spark: SparkSession, job: Job
) -> None:
    land(job, HEADER + ROW, 0)
    job.run()
    rereads = Rereads(spark, job)
    rereads.keep()
    counts = []

    for number, now in enumerate((LOOK_SECONDS - 1, LOOK_SECONDS, 2 * LOOK_SECONDS, 3 * LOOK_SECONDS)):
        if number != 1:
            land(job, HEADER + ROW, 60 * (number + 1))
        rereads.keep(now)
        counts.append(len(rereads.queries))

    assert counts == [0, 1, 2, 3]


def test_what_has_landed_and_is_not_read_yet_is_left_to_the_feed(spark: SparkSession, job: Job) -> None:
    rereads = Rereads(spark, job)
    rereads.keep()
    land(job, HEADER + ROW, 0)
    rereads.keep(LOOK_SECONDS)
    job.run()
    land(job, HEADER + ROW, 60, "landing/acme/new.csv")

    rereads.keep(2 * LOOK_SECONDS)

    assert rereads.queries == []


def test_a_stop_repeats_it_under_the_same_mappings_only(spark: SparkSession, job: Job) -> None:
    land(job, HEADER + ROW, 0)
    job.run()
    land(job, HEADER + ROW, 60)
    job.is_killed_after_kafka = True
    killed = Rereads(spark, job)
    killed.keep()
    job.is_killed_after_kafka = False
    job.write("mappings/acme.yaml", MAPPING.replace("ZEIT", "{column: ZEIT, timezone: Europe/Paris}"))

    other = Rereads(spark, job)
    other.keep()
    job.write("mappings/acme.yaml", MAPPING)
    same = Rereads(spark, job)
    same.keep()

    assert [type(error).__name__ for error in killed.errors + other.errors + same.errors] == [
        "StreamingQueryException",
        "MappingsChangedError",
    ]
    assert published(job) == [("t-1", "12.50")] * 3


def test_a_file_whose_reading_failed_is_tried_again_at_the_next_look(spark: SparkSession, job: Job) -> None:
    land(job, HEADER + ROW, 0)
    job.run()
    land(job, HEADER + ROW, 60)
    rereads = Rereads(spark, job)
    job.is_killed_after_kafka = True
    rereads.keep()
    job.is_killed_after_kafka = False

    rereads.keep(LOOK_SECONDS)

    assert (len(rereads.errors), len(rereads.queries)) == (1, 2)
    assert len(published(job)) == 3
    feed, _ = job.feed()
    assert replaced_files(spark, feed, files.landed_since(spark, feed.landing_path, 0)) == []


def test_each_version_of_a_file_has_a_checkpoint_of_its_own(job: Job) -> None:
    feed, _ = job.feed()

    first, second = (feed_of(feed, files.Listed("file:/a*.csv", "file:/a*.csv", at)) for at in (1, 2))

    assert first.checkpoint_path != second.checkpoint_path
    assert first.checkpoint_path.startswith(feed.below_checkpoint("replaced/"))
    assert first.landing_path == "file:/a\\*.csv"
