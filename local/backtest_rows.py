"""The backtest of stored rows on this machine: the job that Glue runs, on the Spark that is here. ``make backtest ROWS=folder`` calls it."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.models import models_named_by
from lab.pages.html import write_page
from lab.pages.page import PAGE_SUFFIX, from_json
from local.ingestion import spark_settings
from local.jars import JAVA_HOME
from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SCRIPT: Final = ROOT / "glue_scripts" / "backtest_rows.py"

HEAP_MIB: Final = 1_024
"""Of Java. A Python worker, one for each core, takes 100 MiB beside it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Let a ruleset decide again about exported rows of transaction_history, whose features are in them."""
    options = _parser().parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _run(options, Path(folder))
    except OSError as error:
        print(error, file=sys.stderr)
        return 1


def _run(options: argparse.Namespace, folder: Path) -> int:
    report, scores = folder / "report.txt", folder / "scores"
    command, environment = backtest_command(
        options.rows,
        options.rules,
        _named_models(options.rules, folder / "models"),
        options.model,
        report,
        scores if options.out is not None else None,
        label_delay_days=options.label_delay_days,
        cores=options.cores,
    )
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        return done.returncode
    print(report.read_text(), end="")
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        count = join_parts(sorted(scores.glob("part-*.csv")), options.out)
        print(f"scores: {options.out}, {count:,} payments")
    if options.page is not None:
        write_page(from_json(Path(f"{report}{PAGE_SUFFIX}").read_bytes()), options.page, datetime.now(UTC))
        print(f"report: {options.page}")
    return 0


def backtest_command(
    rows: Path,
    rules: Path,
    named_models: Path | None,
    model: Path | None,
    report: Path,
    scores: Path | None,
    *,
    label_delay_days: float = 0.0,
    cores: int = 0,
) -> tuple[list[str], dict[str, str]]:
    """Make the command and the environment that run the job here.

    Parameters
    ----------
    rows : Path
        A folder with an export of the history, and one of the labels.
    rules : Path
        The ruleset.
    named_models : Path | None
        A folder with the documents of the models that it names; None where it names none.
    model : Path | None
        The document of a model in the place of the champion's.
    report : Path
        The file of the report.
    scores : Path | None
        The folder of the scores; None for no scores.
    label_delay_days : float
        Payments younger than that when the labels were exported are not known.
    cores : int
        Tasks that run in parallel; 0 for all cores.

    Returns
    -------
    tuple[list[str], dict[str, str]]
        Arguments of the process, and its complete environment.
    """
    paths = {
        "rows_path": rows,
        "rules_path": rules,
        "named_models_path": named_models,
        "model_path": model,
        "report_path": report,
        "scores_path": scores,
    }
    command = [sys.executable, str(SCRIPT), "--label_delay_days", str(label_delay_days)]
    for name, path in paths.items():
        if path is not None:
            # Not as_uri(): Hadoop takes %20 as three characters of the name, and not as a space.
            command += [f"--{name}", f"file://{path.resolve()}"]
    settings = {**spark_settings(), "spark.log.level": "ERROR", "spark.sql.shuffle.partitions": "8"}
    arguments = [
        *("--master", f"local[{cores or '*'}]"),
        *("--driver-memory", f"{HEAP_MIB}m"),
        *(part for name, value in settings.items() for part in ("--conf", f'"{name}={value}"')),
        "pyspark-shell",
    ]
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ},
        "JAVA_HOME": str(JAVA_HOME),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": " ".join(arguments),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")]),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    return command, environment


def join_parts(parts: Iterable[Path], out: Path) -> int:
    """Write the parts of the scores as one file with one header, and count its payments."""
    count, header = 0, b""
    with out.open("wb") as whole:
        for part in parts:
            with part.open("rb") as lines:
                first = next(lines, b"")
                if not header:
                    header = first
                    whole.write(header)
                for line in lines:
                    whole.write(line)
                    count += 1
    return count


def _named_models(rules: Path, folder: Path) -> Path | None:
    """Write the documents of the models that a ruleset names, its candidate's too; None where none of them is here: the job says which is missing."""
    found = {sha256: data for sha256, data in models_named_by(rules.read_text()).items() if data is not None}
    if not found:
        return None
    folder.mkdir()
    for sha256, data in found.items():
        (folder / f"{sha256}.json").write_bytes(data)
    return folder


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.backtest_rows", description=main.__doc__)
    parser.add_argument(
        "--rows", type=Path, required=True, help="a folder with exports of transaction_history and of labels"
    )
    parser.add_argument("--rules", type=Path, default=Path("rules/default.yaml"), help="the ruleset")
    parser.add_argument("--model", type=Path, help="a model, in the place of the ruleset's")
    parser.add_argument("--out", type=Path, help="write a line a payment to this file, CSV")
    parser.add_argument(
        "--label-delay-days",
        type=float,
        default=0.0,
        help="payments younger than that when the labels were exported are in no share",
    )
    parser.add_argument("--page", type=Path, help="write the same as a page to this file, HTML")
    parser.add_argument("--cores", type=int, default=0, help="tasks in parallel (default: all cores)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
