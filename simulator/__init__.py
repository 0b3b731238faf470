"""A seeded simulation of people who pay and of fraud on them, and the landing files that senders would drop."""

from __future__ import annotations

from simulator.fraud import SCENARIOS
from simulator.simulation import SimulationConfig, simulate

__all__ = ["SCENARIOS", "SimulationConfig", "simulate"]
