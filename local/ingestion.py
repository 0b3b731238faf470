"""The Glue streaming job on this machine: the command that runs it, and the progress that it prints.

The job is the script that Glue runs, with arguments and Spark settings of this machine. It prints a line of JSON for each batch
(:func:`read_progress`) between Spark's warnings. SIGTERM ends it and its Java process.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from glue_scripts.arguments import DEFAULT_TOPIC
from local.components.aws_api import CREDENTIALS, REGION
from local.jars import JAVA_HOME, spark_jars
from ops.manifests import ROOT
from simulator.landing import BACKFILL_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SCRIPT: Final = ROOT / "glue_scripts" / "stream_transactions.py"

TOKENIZATION_KEY_VARIABLE: Final = "TOKENIZATION_KEY"
LOCAL_TOKENIZATION_KEY: Final = "the key of the local stack, no secret"
"""In AWS the key is derived in KMS (decision 0015); here nothing is worth protecting, and tokens must not change between runs."""

MAPPINGS_VARIABLE: Final = "MAPPINGS"
"""Environment variable, of make too: the folder of the mappings, ``<prefix>.yaml``."""

LABEL_MAPPINGS_VARIABLE: Final = "LABEL_MAPPINGS"
"""The same for the mappings of labels."""


class ReadyLine(msgspec.Struct, frozen=True, tag="ready", tag_field="event"):
    """The query runs."""


class BatchLine(msgspec.Struct, frozen=True, tag="batch", tag_field="event"):
    """A batch is written."""

    batch_id: int
    published: int
    quarantined: int
    dropped_columns: dict[str, int]
    refunds: int = 0
    replaced: str = ""
    """Of a file that replaces another of the same name: its digest; its batch is numbered for itself."""


class LabelsReadyLine(msgspec.Struct, frozen=True, tag="labels_ready", tag_field="event"):
    """The query of the labels runs."""


class LabelsBatchLine(msgspec.Struct, frozen=True, tag="labels_batch", tag_field="event"):
    """A batch of labels is sent."""

    batch_id: int
    sent: int
    quarantined: int
    replaced: str = ""


class LabelsFailedLine(msgspec.Struct, frozen=True, tag="labels_failed", tag_field="event"):
    """The query of the labels failed, and will be started again."""

    error: str
    problem: str


_Line = ReadyLine | BatchLine | LabelsReadyLine | LabelsBatchLine | LabelsFailedLine
_LINES: Final = msgspec.json.Decoder(_Line)


class LabelFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Where the job reads files of labels, and where these go."""

    landing_uri: str
    quarantine_uri: str
    checkpoint_dir: Path
    queue_url: str
    mappings_dir: Path | None = None
    """Folder of their mappings; None where every column is known by its name."""


class LabelsProgress(msgspec.Struct, frozen=True):
    """What the job has said of labels, added up."""

    ready: bool = False
    """Whether their query runs."""
    sent: int = 0
    quarantined: int = 0
    failure: str = ""
    """Why the query failed, where it has not been started again since."""


class IngestionProgress(msgspec.Struct, frozen=True):
    """What the job has printed so far, added up."""

    ready: bool
    """Whether the query runs; files may be dropped before it does."""
    batches: int
    published: int
    quarantined: int
    dropped_columns: dict[str, int]
    """Unknown column to how many rows had it."""
    refunds: int = 0
    labels: LabelsProgress = LabelsProgress()


def ingestion_command(
    bootstrap_servers: str,
    landing_uri: str,
    quarantine_uri: str,
    checkpoint_dir: Path,
    aws_endpoint: str,
    *,
    topic: str = DEFAULT_TOPIC,
    trigger_interval: str = "1 second",
    max_files_per_trigger: int = 50,
    cores: int = 1,
    heap_mib: int = 768,
    mappings_dir: Path | None = None,
    labels: LabelFiles | None = None,
) -> tuple[list[str], dict[str, str]]:
    """Make the command and the environment that run the job here.

    Parameters
    ----------
    bootstrap_servers : str
        Of the local broker.
    landing_uri, quarantine_uri : str
        ``s3://bucket/prefix/`` on the emulator, or ``file:///folder/``.
    checkpoint_dir : Path
        Where the query keeps its position; with a new folder it starts from the beginning.
    aws_endpoint : str
        The emulator's URL.
    topic : str
        Where records are published; it must exist.
    trigger_interval : str
        Minimum time between the starts of two batches.
    max_files_per_trigger : int
        The most files that one batch takes.
    cores : int
        Tasks that run in parallel; each has a Python worker.
    heap_mib : int
        Maximum Java heap; the process takes about 300 MiB more, and 100 MiB for each Python worker.
    mappings_dir : Path | None
        Folder of the mappings, ``<prefix>.yaml``; None where every column is known by its name.
    labels : LabelFiles | None
        Files of labels; None where the job reads none.

    Returns
    -------
    tuple[list[str], dict[str, str]]
        Arguments of the process, and its complete environment.
    """
    command = [
        sys.executable,
        str(SCRIPT),
        *("--landing_path", landing_uri),
        *("--quarantine_path", quarantine_uri),
        *("--checkpoint_path", _hadoop_url(checkpoint_dir)),
        *("--kafka_bootstrap_servers", bootstrap_servers),
        *("--topic", topic),
        *("--tokenization_key", f"env:{TOKENIZATION_KEY_VARIABLE}"),
        *("--trigger_interval", trigger_interval),
        *("--max_files_per_trigger", str(max_files_per_trigger)),
    ]
    if mappings_dir is not None:
        command += ["--mappings_path", _hadoop_url(mappings_dir)]
    if labels is not None:
        command += _label_arguments(labels, trigger_interval)
    settings = {**spark_settings(), **s3a_settings(aws_endpoint)}
    arguments = [
        *("--master", f"local[{cores}]"),
        *("--driver-memory", f"{heap_mib}m"),
        *(part for name, value in settings.items() for part in ("--conf", f'"{name}={value}"')),
        "pyspark-shell",
    ]
    environment = {
        # From the caller's environment only what every program needs; its AWS and Spark settings must not reach the job.
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ},
        "JAVA_HOME": str(JAVA_HOME),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": " ".join(arguments),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")]),
        "SPARK_LOCAL_IP": "127.0.0.1",
        TOKENIZATION_KEY_VARIABLE: LOCAL_TOKENIZATION_KEY,
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_DEFAULT_REGION": REGION,
        **CREDENTIALS,
    }
    return command, environment


def _label_arguments(labels: LabelFiles, trigger_interval: str) -> list[str]:
    mappings_dir = labels.mappings_dir
    return [
        *("--labels_path", labels.landing_uri),
        *("--labels_quarantine_path", labels.quarantine_uri),
        *("--labels_checkpoint_path", _hadoop_url(labels.checkpoint_dir)),
        *("--labels_queue_url", labels.queue_url),
        *("--labels_trigger_interval", trigger_interval),
        *(() if mappings_dir is None else ("--label_mappings_path", _hadoop_url(mappings_dir))),
    ]


def mappings_dir_of(environment: Mapping[str, str], variable: str = MAPPINGS_VARIABLE) -> Path | None:
    """Take a folder of mappings from the environment; None where it names none."""
    folder = environment.get(variable)
    return Path(folder) if folder else None


def write_mappings(folder: Path, own: Path | None) -> Path:
    """Write the mappings of a stack: that of the folder of past files, which is trusted, and one's own beside it.

    Parameters
    ----------
    folder : Path
        Where the job reads them; what it holds is replaced.
    own : Path | None
        A folder of one's own mappings, ``<prefix>.yaml``; one of the same name wins.

    Returns
    -------
    Path
        ``folder``.
    """
    if folder.exists():
        shutil.rmtree(folder)
    if own is None:
        folder.mkdir(parents=True)
    else:
        shutil.copytree(own, folder)
    backfill = folder / f"{BACKFILL_FOLDER}.yaml"
    if not backfill.exists():
        backfill.write_text("trusted: true\n")
    return folder


def _hadoop_url(folder: Path) -> str:
    # Not as_uri(): Hadoop takes %20 as three characters of the name, and not as a space.
    return f"file://{folder.resolve()}"


def read_progress(lines: Iterable[str]) -> IngestionProgress:
    """Add up what the job has printed.

    Parameters
    ----------
    lines : Iterable[str]
        Of the job's log. An incomplete last line is ignored; a repeated batch counts once.

    Returns
    -------
    IngestionProgress
        Sums over all batches in the log.
    """
    said = [_LINES.decode(line) for line in lines if line.startswith('{"event": ') and line.endswith("}\n")]
    batches = {(line.replaced, line.batch_id): line for line in said if isinstance(line, BatchLine)}
    dropped = Counter[str]()
    for batch in batches.values():
        dropped.update(batch.dropped_columns)
    return IngestionProgress(
        ready=any(isinstance(line, ReadyLine) for line in said),
        batches=len(batches),
        published=sum(batch.published for batch in batches.values()),
        quarantined=sum(batch.quarantined for batch in batches.values()),
        dropped_columns=dict(dropped),
        refunds=sum(batch.refunds for batch in batches.values()),
        labels=_labels_progress(said),
    )


def _labels_progress(said: Sequence[_Line]) -> LabelsProgress:
    states = [line for line in said if isinstance(line, LabelsReadyLine | LabelsFailedLine)]
    last = states[-1] if states else None
    batches = {(line.replaced, line.batch_id): line for line in said if isinstance(line, LabelsBatchLine)}
    return LabelsProgress(
        ready=isinstance(last, LabelsReadyLine),
        sent=sum(batch.sent for batch in batches.values()),
        quarantined=sum(batch.quarantined for batch in batches.values()),
        failure=f"{last.error} {last.problem}".strip() if isinstance(last, LabelsFailedLine) else "",
    )


def spark_settings() -> dict[str, str]:
    """Spark's settings for small batches on one machine."""
    # On the class path: with spark.jars, Spark would copy the files at every start.
    class_path = os.pathsep.join(map(str, spark_jars()))
    return {
        "spark.driver.extraClassPath": class_path,
        "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.adaptive.enabled": "false",
        # History of the stream's progress and old checkpoints: enough to inspect the last minutes, not days.
        "spark.sql.streaming.numRecentProgressUpdates": "20",
        "spark.sql.streaming.minBatchesToRetain": "20",
    }


def s3a_settings(endpoint: str) -> dict[str, str]:
    """Hadoop's S3 client, with the emulator as its endpoint; it serves ``s3://`` too, as on Glue."""
    hadoop = {
        "fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "fs.s3a.endpoint": endpoint,
        "fs.s3a.endpoint.region": REGION,
        "fs.s3a.path.style.access": "true",
        "fs.s3a.aws.credentials.provider": "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
        "fs.s3a.fast.upload.buffer": "bytebuffer",
        "mapreduce.fileoutputcommitter.algorithm.version": "2",
        "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    }
    return {f"spark.hadoop.{name}": value for name, value in hadoop.items()}
