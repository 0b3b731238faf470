"""Exports of DynamoDB's tables as Spark reads them: the newest complete one of a table below a path, and its lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyspark.errors import AnalysisException
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from contract.exports import DATA_FOLDER, SUMMARY, ExportError, Summary, read_summary
from glue_scripts.files import escaped

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TASK_BYTES: Final = 16 << 20
"""Small files are packed into tasks of about so many bytes, some 50,000 rows of the history. A file is never split: it is gzipped."""


@dataclass(frozen=True)
class Export:
    """One complete export of one table."""

    folder: str
    """Where its manifests are."""
    summary: Summary


def newest_export(spark: SparkSession, path: str, table: str) -> Export | None:
    """Find the newest complete export of a table.

    Parameters
    ----------
    spark : SparkSession
        The session.
    path : str
        On any file system that Spark knows: an export's folder, or any folder or prefix above one or several, of any tables.
    table : str
        The table's interface name; an environment may prefix it.

    Returns
    -------
    Export | None
        None where there is none of this table.

    Raises
    ------
    ExportError
        Where the path does not exist, or an export of the table is of another form; names the place.
    """
    summaries = spark.read.format("binaryFile").options(recursiveFileLookup="true", pathGlobFilter=SUMMARY)
    try:
        found = summaries.load(escaped(path)).select("path", "content").collect()
    except AnalysisException as error:
        raise ExportError(f"{path}: there is no such folder") from error
    exports = [
        Export(row["path"].rpartition("/")[0], read_summary(bytes(row["content"]), row["path"]))
        for row in found
    ]
    of_table = [export for export in exports if export.summary.is_of(table)]
    return max(of_table, key=lambda export: export.summary.export_time, default=None)


def require_complete(export: Export, rows: int) -> None:
    """Raise ExportError unless so many rows are all that the export has by its summary: figures of a part would look like any others."""
    if rows != export.summary.item_count:
        raise ExportError(
            f"{export.folder}: {rows:,} rows in its files, {export.summary.item_count:,} by its summary"
        )


def read_lines(spark: SparkSession, export: Export) -> DataFrame:
    """Read an export's lines.

    Parameters
    ----------
    spark : SparkSession
        Its settings for packing files into tasks are set.
    export : Export
        As :func:`newest_export` found it.

    Returns
    -------
    DataFrame
        ``line`` and ``file``, the name of its file.
    """
    spark.conf.set("spark.sql.files.maxPartitionBytes", str(_TASK_BYTES))
    spark.conf.set("spark.sql.files.openCostInBytes", "0")
    folder = f"{escaped(export.folder)}/{DATA_FOLDER}"
    lines = spark.read.option("pathGlobFilter", "*.json.gz").option("lineSep", "\n").text(folder)
    return lines.select(F.col("value").alias("line"), F.col("_metadata.file_name").alias("file"))
