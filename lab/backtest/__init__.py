"""The backtest: a ruleset decides on a whole history in one process, and its decisions are compared with the truth.

``python -m lab.backtest``, or ``make backtest``. Profile, features and rules are those of the score stage, in the order of the
payments' clock; only brokers and stores are left out. What it keeps of a payment is a few bytes.
"""

from __future__ import annotations

from lab.backtest.deciding import JudgedPayment
from lab.backtest.run import Backtest, run_backtest

__all__ = ["Backtest", "JudgedPayment", "run_backtest"]
