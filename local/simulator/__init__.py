"""People who pay, and criminals among them: a seeded simulation, and the landing files its senders would drop."""

from __future__ import annotations

from local.simulator.engine import simulate
from local.simulator.fraud import SCENARIOS
from local.simulator.records import LabelledTransaction, Record, SimulationConfig

__all__ = ["SCENARIOS", "LabelledTransaction", "Record", "SimulationConfig", "simulate"]
