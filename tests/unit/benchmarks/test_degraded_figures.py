from __future__ import annotations

from benchmarks.degraded import DegradedCosts, Situation
from benchmarks.figures import degraded_figures


def test_each_situation_is_compared_with_the_normal_one_of_the_same_round() -> None:
    cpu_us = {
        Situation.NORMAL: [100.0, 200.0, 300.0],
        Situation.EMPTIED: [500.0, 1_000.0, 1_800.0],
        Situation.AFTER_EMPTIED: [100.0, 200.0, 600.0],
        Situation.UNAVAILABLE_FIRST: [900.0, 1_800.0, 2_700.0],
        Situation.UNAVAILABLE: [400.0, 800.0, 900.0],
    }
    requests = {situation: [0.05, 0.05, 0.06] for situation in Situation} | {
        Situation.EMPTIED: [1.07, 1.06, 1.08]
    }

    figures = {each.key: each for each in degraded_figures(DegradedCosts(cpu_us, requests))}

    assert figures["cpu_of_long_past"].value == 200.0
    assert {key: each.value for key, each in figures.items() if each.unit == "x"} == {
        "cpu_emptied": 5.0,
        "cpu_after_emptied": 1.0,
        "cpu_unavailable_first": 9.0,
        "cpu_unavailable": 4.0,
    }
    assert {key: each.passed for key, each in figures.items() if each.target is not None} == {
        "cpu_emptied": True,
        "cpu_after_emptied": True,
        "cpu_unavailable": False,
    }
    assert figures["requests_emptied"].value == 1.07
