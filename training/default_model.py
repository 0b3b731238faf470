"""Makes the model that ships: ``python -m training.default_model --synccfd FILE``, from the simulator and a generator that is not ours.

Each source is decided by itself. Its fraud is given the same share, so that neither is suspicious for being itself, and what one source alone
names is not learnt from.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.model.tables import read_model
from engine.rules.ruleset import parse_ruleset
from lab.backtest import stream
from lab.backtest.__main__ import SIMULATION_ENDS_AT
from lab.backtest.labels import Delay, LabelPlan
from lab.datasets.sample import MAPPING
from lab.models import MODELS, kept_model
from lab.progress import Progress
from training.baseline import write_baseline
from training.card import write_card
from training.columns import columns
from training.evaluation import WEEK_S, WEEKS, LaterPayments
from training.figures import evaluate
from training.from_file import Source
from training.options import LABEL_DELAY_DAYS, PYTHON, TRAIN_DAYS, window_of
from training.point_in_time import PointInTime, combined
from training.publish import document_of, fit_elsewhere

if TYPE_CHECKING:
    from engine.rules.ruleset import Ruleset
    from lab.backtest.stream import PaymentStream
    from training.point_in_time import Window

OF_ONE_SOURCE: Final = frozenset({"merchant_category", "is_location_known"})
"""Features that only say which source a payment is of."""
FRAUD_SHARE: Final = 0.01
SYNCCFD_UNTIL: Final = datetime(2025, 3, 13, tzinfo=UTC)
"""Of the 100 days from 2025-01-01 four weeks are left."""
SIMULATED: Final = 40_000
SEED: Final = 7

_ABOUT: Final = """\
The model that ships with the system: an example, and a beginning. It learnt from this repository's simulator and from SynCCFD, a generator of
synthetic payments by somebody else (https://pypi.org/project/synccfd/). **A model of your own payments will beat it**: `make train`."""


class _Part(NamedTuple):
    name: str
    source: Source
    window: Window
    collected: PointInTime


def main() -> None:
    """Make the default model, and its card."""
    parser = argparse.ArgumentParser(prog="python -m training.default_model", description=__doc__)
    parser.add_argument(
        "--synccfd", type=Path, required=True, help="a file of lab.datasets.sample, of 100 days"
    )
    parser.add_argument("--python", type=Path, default=PYTHON, help="of the environment with scikit-learn")
    parser.add_argument("--out", type=Path, default=MODELS / "default.json")
    options = parser.parse_args()
    path = Path("rules/default.yaml")
    ruleset = parse_ruleset(path.read_text(), str(path), kept_model).without_model()
    parts = _parts(options.synccfd, ruleset)
    for part in parts:
        part.source.advance(part.window.as_of_s)
    training_set = combined([part.collected.labelled().with_fraud_share(FRAUD_SHARE) for part in parts])
    fit, unseen = fit_elsewhere(options.python, training_set)
    as_of = datetime.fromtimestamp(max(part.window.as_of_s for part in parts), UTC)
    data = document_of(fit, unseen, training_set, ruleset, as_of)
    model = read_model(data, str(options.out))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(data)
    write_baseline(options.out, model, training_set)
    evaluated = []
    for part in parts:
        later = LaterPayments(part.window.as_of_s, part.source.users)
        part.source.advance(part.window.as_of_s + WEEKS * WEEK_S, partial(later.see, model=model))
        columns_of = later.columns()
        evaluated.append((part.name, None if columns_of is None else evaluate(columns_of)))
    write_card(options.out.with_suffix(".md"), model, len(data), evaluated, _ABOUT)
    print(f"{options.out}: {model.sha256}, {len(data):,} bytes")


def _parts(synccfd: Path, ruleset: Ruleset) -> list[_Part]:
    progress = Progress(sys.stderr)
    rates = ruleset.exchange.by_currency
    simulated = [
        stream.simulated(
            transactions=SIMULATED,
            users=SIMULATED // 40,
            seed=SEED,
            ends_at=SIMULATION_ENDS_AT,
            progress=progress,
            scenario=scenario,
        )
        for scenario in ("people", "crowds")
    ]
    others = stream.own(synccfd, MAPPING, rates, None, progress)
    simulated_until = SIMULATION_ENDS_AT - timedelta(weeks=WEEKS)
    return [
        _part("SynCCFD, 700 users", others, SYNCCFD_UNTIL, ruleset),
        *(_part(each.source, each, simulated_until, ruleset) for each in simulated),
    ]


def _part(name: str, payments: PaymentStream, until: datetime, ruleset: Ruleset) -> _Part:
    window = window_of(until, TRAIN_DAYS, LABEL_DELAY_DAYS)
    collected = PointInTime(window, columns(OF_ONE_SOURCE))
    plan = LabelPlan((Delay(1.0, LABEL_DELAY_DAYS),))
    return _Part(name, Source(payments.payments, ruleset, plan, [collected]), window, collected)


if __name__ == "__main__":
    main()
