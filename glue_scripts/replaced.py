"""Files that replace one of the same name after it was read. Spark knows a file by its name, and would never read the new one.

At the start and then once an hour, the files that have landed are compared with those that the checkpoint names as read. What is newer than
that is read by a query of its own, with a checkpoint of its own below that of the feed. So it is read once, and after a stop it is repeated
as any batch is; of its rows, those that were read before are repeats to the stages.

    09:00  a.csv lands and is read         the checkpoint has a.csv, 09:00
    09:40  a corrected a.csv lands         Spark: known, not read
    10:00  the hourly look                 a.csv, 09:40 is newer than 09:00: read, checkpoint replaced/<digest of a.csv and 09:40>
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from glue_scripts import files, pins

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from glue_scripts.feeds import Feed
    from glue_scripts.files import Listed

LOOK_SECONDS: Final = 3_600.0
"""Between two looks. Each lists all files that have landed and are kept."""

FOLDER: Final = "replaced"
"""Of the checkpoints, below the feed's."""

_READ: Final = "sources/0"
"""Below a checkpoint: Spark's list of the files that were taken, as JSON."""

_ENTRY: Final = "path string, timestamp long"


def replaced_files(spark: SparkSession, feed: Feed, listed: list[Listed]) -> list[Listed]:
    """Give those of some files that were changed after they were read, and have not been read since.

    Parameters
    ----------
    spark : SparkSession
        The session.
    feed : Feed
        Whose checkpoint says what was read.
    listed : list[Listed]
        Files that have landed.

    Returns
    -------
    list[Listed]
        By name.
    """
    if not listed or not files.names_in(spark, feed.below_checkpoint(_READ)):
        return []
    lines = spark.read.text(files.escaped(feed.below_checkpoint(_READ))).where(F.col("value").startswith("{"))
    read = lines.select(F.from_json("value", _ENTRY).alias("entry")).groupBy("entry.path")
    # A file that Spark itself has read again, because it had forgotten the name, is there twice.
    newest = read.agg(F.max("entry.timestamp").alias("read_ms"))
    landed = spark.createDataFrame(
        [(file.uri, file.modified_ms) for file in listed], "path string, modified_ms long"
    )
    changed = landed.join(newest, "path").where("modified_ms > read_ms").select("path").collect()
    uris = {row["path"] for row in changed}
    return sorted(file for file in listed if file.uri in uris and not _is_done(spark, feed_of(feed, file)))


def feed_of(feed: Feed, file: Listed) -> Feed:
    """Make the feed of one replaced file."""
    digest = hashlib.sha256(f"{file.uri}\n{file.modified_ms}".encode()).hexdigest()[:16]
    return replace(
        feed,
        query_name=f"{feed.query_name}_{digest}",
        landing_path=files.escaped(file.path),
        checkpoint_path=feed.below_checkpoint(f"{FOLDER}/{digest}"),
        replaced=digest,
    )


class Rereading:
    """Finds the replaced files of a feed, and reads one after the other.

    Parameters
    ----------
    spark : SparkSession
        The session.
    feed : Feed
        The feed; its own query runs beside this.
    begin : Callable[[Feed], StreamingQuery]
        Starts the query of a replaced file.
    failed : Callable[[Exception], None]
        Takes a failure, and may raise it. The file is tried again at the next look.
    """

    def __init__(
        self,
        spark: SparkSession,
        feed: Feed,
        begin: Callable[[Feed], StreamingQuery],
        failed: Callable[[Exception], None],
    ) -> None:
        self._spark = spark
        self._feed = feed
        self._begin = begin
        self._failed = failed
        self._next_look = float("-inf")
        self._since_ms = 0
        self._waiting: list[Listed] = []
        self._again: list[Listed] = []
        self._reading: tuple[Listed, StreamingQuery] | None = None

    def keep(self, now: float) -> None:
        """Look if it is time, and start the next file's query if none runs; called again and again.

        Parameters
        ----------
        now : float
            Seconds of a clock that never goes back.
        """
        if self._reading is not None:
            file, query = self._reading
            if query.isActive:
                return
            self._reading = None
            if error := query.exception():
                self._fail(file, error)
        if not self._waiting and now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            self._look()
        if self._waiting:
            file = self._waiting.pop()
            try:
                self._reading = file, self._begin(feed_of(self._feed, file))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
                self._fail(file, error)

    def _look(self) -> None:
        """Find what was replaced since the last look; a file of the same moment is looked at again."""
        listed = files.landed_since(self._spark, self._feed.landing_path, self._since_ms)
        self._since_ms = max((file.modified_ms for file in listed), default=self._since_ms)
        self._waiting = sorted({*replaced_files(self._spark, self._feed, listed), *self._again})
        self._again = []

    def _fail(self, file: Listed, error: Exception) -> None:
        self._again.append(file)
        self._failed(error)


def _is_done(spark: SparkSession, feed: Feed) -> bool:
    return "0" in files.names_in(spark, feed.below_checkpoint(pins.COMMITS))
