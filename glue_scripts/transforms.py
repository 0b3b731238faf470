"""The job as functions from DataFrame to DataFrame: lines of files in; records, refused rows and counts out.

The work on a single row is plain Python (:mod:`glue_scripts.rows`) inside one Arrow pass: Spark's own JSON reader turns numbers
into binary floats and reads ``{"a": 1} {"b": 2}`` as its first half; its CSV stream reader maps columns by position and ignores
a file's header; and the contract is Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
from pyspark.sql import functions as F  # noqa: N812 - its usual name
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from contract.card_tokens import CardTokens
from glue_scripts.prefix_mappings import NO_MAPPINGS
from glue_scripts.progress import MAX_NAME_CHARACTERS, MAX_NAMED_COLUMNS, Counts
from glue_scripts.rows import INTERNAL, CleanedRow, Header, Published, Refused, RowCleaner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from pyspark.sql import DataFrame, SparkSession

    from glue_scripts.files import Unreadable
    from glue_scripts.prefix_mappings import PrefixMappings

CSV_SUFFIXES: Final = (".csv", ".tsv")
COMPRESSION_SUFFIXES: Final = (".gz", ".bz2")
"""Names of files that Spark unpacks on its own."""

CLEANED: Final = StructType(
    [
        StructField("user_id", StringType()),
        StructField("record", BinaryType()),
        StructField("field", StringType()),
        StructField("reason", StringType()),
        StructField("raw", StringType()),
        StructField("file", StringType()),
        StructField("line", LongType()),
        StructField("dropped", ArrayType(StringType())),
    ]
)
"""A cleaned row: ``user_id`` and ``record`` where it is good; ``field``, ``reason`` and ``raw`` where it is not."""

_ARROW: Final = pa.schema(
    [
        ("user_id", pa.string()),
        ("record", pa.binary()),
        ("field", pa.string()),
        ("reason", pa.string()),
        ("raw", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("dropped", pa.list_(pa.string())),
    ]
)


def clean_lines(
    lines: DataFrame, key: bytes, now: datetime, mappings: PrefixMappings = NO_MAPPINGS
) -> DataFrame:
    """Clean every line: JSON by its names, CSV by the header of its own file, both by the mapping of the file's prefix.

    Parameters
    ----------
    lines : DataFrame
        As :func:`glue_scripts.files.read_lines` reads them.
    key : bytes
        What card numbers are tokenised with.
    now : datetime
        The clock, aware.
    mappings : PrefixMappings
        What the columns are, below which prefixes.

    Returns
    -------
    DataFrame
        One row of :data:`CLEANED` for each line that is neither blank nor a header.

    Raises
    ------
    ValueError
        For a key that is too short; raised in the driver, before any task runs.
    """
    CardTokens(key)
    # A task for each file would be expensive: PySpark's worker reads its zips again at the start of every task, which takes
    # Python 3.11 some 100 ms. Coalescing puts whole files one after the other.
    tasks = lines.sparkSession.sparkContext.defaultParallelism
    return lines.coalesce(tasks).mapInArrow(_cleaner(key, now, mappings), CLEANED)


def unreadable_rows(spark: SparkSession, files: Sequence[Unreadable], key: bytes) -> DataFrame:
    """Report files that could not be read, as rows of :data:`CLEANED` that go to quarantine."""
    tokens = CardTokens(key)
    rows: list[tuple[object, ...]] = [
        (None, None, "$", file.reason, "", tokens.replace(file.file), None, []) for file in files
    ]
    return spark.createDataFrame(rows, CLEANED)


def records(cleaned: DataFrame, topic: str) -> DataFrame:
    """Choose the good rows, as the Kafka sink takes them: ``topic``, ``key``, ``value``."""
    return cleaned.where("record is not null").select(
        F.lit(topic).alias("topic"),
        F.col("user_id").cast("binary").alias("key"),
        F.col("record").alias("value"),
    )


def refused(cleaned: DataFrame) -> DataFrame:
    """Choose the bad rows, in the form of the quarantine: reason, field, file, line number, and the row itself."""
    return cleaned.where("record is null").select("reason", "field", "file", "line", "raw")


def counts(cleaned: DataFrame) -> Counts:
    """Count rows by their results; runs one job, and a second where columns were dropped."""
    row = cleaned.agg(
        F.count("record").alias("published"),
        F.count("reason").alias("quarantined"),
        F.count(F.when(F.col("reason").startswith(INTERNAL), 1)).alias("internal_errors"),
        F.coalesce(F.sum(F.size("dropped")), F.lit(0)).alias("dropped"),
    ).first()
    if row is None:
        raise AssertionError("unreachable: an aggregate without groups has one row")
    named = dropped_columns(cleaned) if row["dropped"] else {}
    other = row["dropped"] - sum(named.values())
    return Counts(row["published"], row["quarantined"], named, other, row["internal_errors"])


def dropped_columns(cleaned: DataFrame) -> dict[str, int]:
    """Count the most frequent of the dropped columns by name, cut to the length that the batch's line shows.

    Spark chooses them: if every row of a batch had names of its own, the driver could not hold them all, at any try.
    """
    name = F.substring("name", 1, MAX_NAME_CHARACTERS).alias("name")
    by_name = cleaned.select(F.explode("dropped").alias("name")).groupBy(name).count()
    most = by_name.orderBy(F.desc("count"), "name").limit(MAX_NAMED_COLUMNS)
    return {row["name"]: row["count"] for row in most.collect()}


def _cleaner(
    key: bytes, now: datetime, mappings: PrefixMappings
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def clean(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        files = _FileCleaner(CardTokens(key), now, mappings)
        for batch in batches:
            yield files.clean_batch(batch)

    return clean


class _FileCleaner:
    """Follows a task through its files: the mapping and the header of the file, and the number of the line."""

    def __init__(self, tokens: CardTokens, now: datetime, mappings: PrefixMappings) -> None:
        self._tokens = tokens
        self._now = now
        self._mappings = mappings
        self._by_prefix: dict[str | None, RowCleaner] = {None: RowCleaner(tokens)}
        self._by_prefix |= {
            prefix: RowCleaner(tokens, mapping) for prefix, mapping in mappings.by_prefix.items()
        }
        self._rows = self._by_prefix[None]
        self._url = self._name = ""
        self._is_csv = False
        self._header: Header | None = None
        self._refused: Refused | None = None
        self._line = 0

    def clean_batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Clean the next lines, which follow those of the call before."""
        columns: list[list[object]] = [[] for _ in _ARROW]
        lines, files, starts = (batch.column(name).to_pylist() for name in ("line", "file", "block_start"))
        for line, file, start in zip(lines, files, starts, strict=True):
            if file != self._url:
                self._begin(file, start)
            self._line += 1
            row = self._clean(line)
            if row is not None:
                for column, value in zip(columns, _columns(row, self._name, self._line), strict=True):
                    column.append(value)
        arrays = [pa.array(column, arrow.type) for column, arrow in zip(columns, _ARROW, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=_ARROW)

    def _begin(self, file: str, block_start: int) -> None:
        # Spark gives the file's URL; people and S3 use its name. The name goes to quarantine and into errors.
        self._url, name = file, unquote(file)
        self._name = self._tokens.replace(name)
        if block_start:
            raise RuntimeError(f"{self._name} is read in parts; a CSV header and line numbers need it whole")
        try:
            self._rows = self._by_prefix[self._mappings.prefix_of(name)]
        except ValueError as error:
            raise ValueError(self._tokens.replace(str(error))) from None
        self._line, self._header, self._refused = 0, None, None
        self._is_csv = is_csv(name)

    def _clean(self, line: bytes) -> CleanedRow | None:
        if not line.strip():
            return None
        if not self._is_csv:
            return self._rows.clean_json(line, self._now)
        if self._header is not None:
            return self._rows.clean_csv(line, self._header, self._now)
        header = self._rows.read_header(line, self._refused)
        if isinstance(header, Header):
            self._header = header
            return None
        # The next line is tried as a header: a file may begin with a title or with garbage.
        self._refused = self._refused or header
        return header


def is_csv(file: str) -> bool:
    """Whether a file is CSV, by its name; every other file is read as JSON lines.

    >>> is_csv("s3://landing/a.CSV.gz"), is_csv("s3://landing/a.jsonl")
    (True, False)
    """
    name = file.lower()
    for suffix in COMPRESSION_SUFFIXES:
        name = name.removesuffix(suffix)
    return name.endswith(CSV_SUFFIXES)


def _columns(row: CleanedRow, file: str, line: int) -> tuple[object, ...]:
    if isinstance(row, Published):
        return (row.user_id, row.record, None, None, None, file, line, row.dropped)
    return (None, None, row.field, row.reason, row.raw, file, line, ())
