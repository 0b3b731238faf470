"""The row that says which ruleset is active is compared with AppConfig at each run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from common.ruleset_changes import ACTIVE_KEY, ChangeRows
from tests.support.tables import make_table
from tests.unit.guardrails.world import GOOD, ROLLOUT, World

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def test_a_row_that_was_lost_is_written_by_the_next_run_of_the_same_process(
    aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, client = World(), aws("dynamodb")
    rows = ChangeRows(client, make_table(client, "ruleset_changes"), logging.getLogger("test_active_row"))
    monkeypatch.setattr(world, "put_active", rows.put_active)
    digest = world.deployed(ROLLOUT, GOOD)
    process = world.process()
    process.run()
    client.delete_item(TableName="ruleset_changes", Key=ACTIVE_KEY)

    process.run()

    active = rows.active()
    assert active is not None
    assert (active.digest, active.deployment) == (digest, 1)
