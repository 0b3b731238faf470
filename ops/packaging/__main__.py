"""The command line: ``python -m ops.packaging functions [--arch host|x86_64|arm64] [name ...]``, ``... glue-job``, ``... glue-backtest``, ``... training-job``."""

from __future__ import annotations

import argparse
import hashlib
import sys
from typing import TYPE_CHECKING, get_args

from ops.errors import BuildError
from ops.manifests import ROOT, function_names
from ops.packaging.functions import build_zip
from ops.packaging.glue_job import BACKTEST, INGESTION, build_glue_job
from ops.packaging.requirements import Arch
from ops.packaging.training_job import build_training_job

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what the command line names and print each file; 1 if something cannot be built."""
    parser = argparse.ArgumentParser(prog="python -m ops.packaging", description="Build what is deployed.")
    commands = parser.add_subparsers(dest="command", required=True)
    functions = commands.add_parser("functions", help="the functions' zips, in build/functions/<arch>/")
    functions.add_argument("--arch", choices=get_args(Arch), default="host")
    functions.add_argument("names", nargs="*", metavar="name", help="functions to build; all by default")
    commands.add_parser("glue-job", help="the ingestion job's packages and wheels, in build/glue/")
    commands.add_parser("glue-backtest", help="the backtest job's, in build/glue-backtest/")
    commands.add_parser("training-job", help="what a SageMaker training job runs, in build/training-job/")
    options = parser.parse_args(arguments)
    try:
        for file in _build(options):
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            size_mib = file.stat().st_size / 2**20
            print(f"{file.relative_to(ROOT)}  {size_mib:.1f} MiB  sha256 {digest[:16]}")
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _build(options: argparse.Namespace) -> Iterator[Path]:
    if options.command == "functions":
        for name in options.names or function_names():
            yield build_zip(name, options.arch)
    elif options.command == "training-job":
        yield build_training_job()
    else:
        yield from build_glue_job(BACKTEST if options.command == "glue-backtest" else INGESTION)


if __name__ == "__main__":
    sys.exit(main())
