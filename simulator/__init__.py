"""People who pay, and criminals among them: a seeded simulation, and the landing files its senders would drop."""

from __future__ import annotations

from simulator.fraud import SCENARIOS
from simulator.records import LabelledTransaction, Record, SimulationConfig
from simulator.simulation import simulate

__all__ = ["SCENARIOS", "LabelledTransaction", "Record", "SimulationConfig", "simulate"]
