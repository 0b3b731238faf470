"""Times the logic of the score stage inside its own zip, without any store. :mod:`benchmarks.stage_cost` runs it; it prints JSON.

Timed are decoding and validating a batch, and for each payment features, rules and decision. Arguments: a folder with
``ruleset.yaml``, ``profiles.json`` (user to stored form in base64) and events ``*.event.json``; and the number of rounds.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engine.decide import decide
from engine.profile import from_bytes
from engine.rules.ruleset import parse_ruleset
from score.delivery import read_batch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.profile import Profile
    from engine.rules.ruleset import Ruleset
    from score.delivery import KafkaEvent


def decide_batch(event: KafkaEvent, profiles: Mapping[str, Profile], ruleset: Ruleset, now: datetime) -> int:
    """Decide a batch; gives the number of its payments."""
    deliveries = read_batch(event, now).deliveries
    for delivery in deliveries:
        decide(delivery.facts, profiles[delivery.user_id], ruleset)
    return len(deliveries)


def main() -> None:
    """Print the CPU of a payment in each round, µs."""
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    ruleset = parse_ruleset((folder / "ruleset.yaml").read_text())
    stored = json.loads((folder / "profiles.json").read_bytes())
    profiles = {user: from_bytes(b64decode(data)) for user, data in stored.items()}
    events = [json.loads(file.read_bytes()) for file in sorted(folder.glob("*.event.json"))]
    now = datetime.now(UTC)
    for event in events[:3]:
        decide_batch(event, profiles, ruleset, now)  # warm: caches of the interpreter, lazy imports
    # As in the stage's handler: garbage is collected between batches, and its cost is a part of theirs.
    gc.freeze()
    gc.disable()
    costs = []
    for _ in range(rounds):
        began = time.process_time()
        payments = 0
        for event in events:
            payments += decide_batch(event, profiles, ruleset, now)
            gc.collect(0)
        costs.append((time.process_time() - began) * 1e6 / payments)
    sys.stdout.write(json.dumps(costs) + "\n")


if __name__ == "__main__":
    main()
