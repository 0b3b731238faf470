"""The score stage under random interleavings of faults equals a plain sequential recomputation (:mod:`tests.support.stage_machine`)."""

from __future__ import annotations

from tests.support.stage_machine import ScoreStageMachine

TestScoreStage = ScoreStageMachine.TestCase
