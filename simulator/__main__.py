"""Write a simulation's landing files into a folder: ``python -m simulator --transactions N --out DIR``."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from simulator.crowds import simulate_crowds
from simulator.landing import LandingConfig, landing_files
from simulator.simulation import SimulationConfig, simulate


def main(arguments: list[str] | None = None) -> None:
    """Write the files, and beside them truth.jsonl: transaction_id, scenario, incident_id, amount_base, oddness."""
    options = _parser().parse_args(arguments)
    config = SimulationConfig(
        seed=options.seed,
        users=options.users,
        transactions=options.transactions,
        ends_at=options.ends_at,
        span=timedelta(days=options.days),
        fraud_rate=options.fraud_rate,
    )
    began = time.perf_counter()
    options.out.mkdir(parents=True, exist_ok=True)
    payments = list(simulate_crowds(config) if options.scenario == "crowds" else simulate(config))
    landing = LandingConfig(run=f"s{config.seed:x}-{config.ends_at:%Y%m%dT%H%M%S}", seed=config.seed)
    files = bad_rows = 0
    for file in landing_files(payments, landing):
        (options.out / file.name).write_bytes(file.data)
        files += 1
        bad_rows += len(file.bad_rows)
    with (options.out / "truth.jsonl").open("wb") as truths:
        for payment in payments:
            line = {"transaction_id": payment.transaction_id, **msgspec.structs.asdict(payment.truth)}
            truths.write(msgspec.json.encode(line) + b"\n")
    fraud = sum(payment.truth.is_fraud for payment in payments)
    print(
        f"{len(payments):,} transactions, {fraud:,} of them fraud, and {bad_rows:,} bad rows"
        f" in {files:,} files: {options.out} ({time.perf_counter() - began:.1f} s)"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=main.__doc__)
    parser.add_argument("--transactions", type=int, default=12_000, help="how many, including fraud")
    parser.add_argument("--users", type=int, default=300, help="how many people pay")
    parser.add_argument(
        "--seed", type=int, default=7, help="the same seed gives the same people and payments"
    )
    parser.add_argument("--days", type=float, default=90.0, help="length of the simulated span, days")
    parser.add_argument("--fraud-rate", type=float, default=0.01, help="share of fraud, 0 to 1")
    parser.add_argument(
        "--scenario",
        choices=("people", "crowds"),
        default="people",
        help="crowds: add attacks that cross users, and honest crowds that look like them",
    )
    parser.add_argument(
        "--ends-at",
        type=lambda text: datetime.fromisoformat(text).astimezone(UTC),
        default=datetime.now(UTC),
        help="last event time, RFC 3339 (default: now)",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder; created if missing")
    return parser


if __name__ == "__main__":
    main()
