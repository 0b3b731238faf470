"""Feed the running stack with payments that happen now: ``python -m local.simulate --tps 20 --seconds 60``."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from local.components.aws_api import make_client
from local.report_feed import ReportFeed
from local.resources import LABELS_QUEUE, LANDING_PREFIX
from local.stack.state import DEFAULT_BUILD_DIR, StackError, require_stack
from simulator import SimulationConfig
from simulator.live_feed import run_live_feed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.truth import SentPayment


REPORTS_EVERY_SECONDS = 1.0
"""How often it is looked which reports are due, once no more payments come."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Put files into the stack's landing bucket for a while; 1 if no stack is running."""
    options = _parser().parse_args(arguments)
    try:
        state, resources = require_stack(options.build_dir)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    s3, bucket = make_client("s3", state.aws_endpoint), resources.buckets["landing"]
    clock = partial(datetime.now, UTC)
    config = SimulationConfig(
        seed=options.seed, users=options.users, transactions=options.history, ends_at=clock()
    )
    truth_file = options.build_dir / "simulated-truth.jsonl"
    sqs, labels = make_client("sqs", state.aws_endpoint), resources.queues[LABELS_QUEUE]

    def send(bodies: Sequence[str]) -> None:
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        if failed := sqs.send_message_batch(QueueUrl=labels, Entries=entries).get("Failed"):
            raise StackError(f"the labels queue did not take {len(failed)} of {len(bodies)} messages")

    people = ReportFeed(send, clock, options.seed, timedelta(seconds=options.label_day_seconds))

    def put_object(name: str, data: bytes) -> None:
        s3.put_object(Bucket=bucket, Key=f"{LANDING_PREFIX}{name}", Body=data)
        people.send_due()

    print(
        f"{options.tps:g} transactions a second for {options.seconds} s, after a history of {options.history:,}"
    )
    with truth_file.open("ab") as truths:

        def write_truth(payment: SentPayment) -> None:
            line = {"transaction_id": payment.transaction_id, "scenario": payment.truth.scenario}
            truths.write(msgspec.json.encode(line) + b"\n")
            people.take(payment)

        try:
            summary = run_live_feed(
                put_object, config, options.tps, options.seconds, clock, time.sleep, write_truth
            )
            ends_at = clock() + timedelta(seconds=options.report_seconds)
            while people.is_due_by(ends_at):
                time.sleep(REPORTS_EVERY_SECONDS)
                people.send_due()
        except KeyboardInterrupt:
            print("stopped; the stack still processes the files that were dropped", file=sys.stderr)
            return 130
        except StackError as error:
            print(error, file=sys.stderr)
            return 1
    print(
        f"{summary.transactions:,} transactions and {summary.bad_rows:,} bad rows in {summary.files:,} files, "
        f"{summary.fraud:,} fraud, listed in {truth_file}"
    )
    print(f"{people.sent:,} reports of fraud to the labels queue; {people.waiting:,} were not due yet")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.simulate", description=__doc__)
    parser.add_argument("--tps", type=float, default=20.0, help="live transactions a second")
    parser.add_argument("--seconds", type=int, default=60, help="for how long")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same people")
    parser.add_argument("--users", type=int, default=300, help="people with a history")
    parser.add_argument(
        "--history", type=int, default=6_000, help="transactions of their past, dropped first"
    )
    parser.add_argument(
        "--label-day-seconds",
        type=float,
        default=10.0,
        help="how long a day lasts until people report the fraud of live payments, seconds (default: 10)",
    )
    parser.add_argument(
        "--report-seconds",
        type=int,
        default=0,
        help="for how long reports go on after the last payment, until none is due (default: 0)",
    )
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    return parser


if __name__ == "__main__":
    sys.exit(main())
