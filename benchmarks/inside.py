"""Times the logic of the score stage inside its own zip, without any store. :mod:`benchmarks.stage_cost` runs it; it prints JSON.

Timed are decoding and validating a batch, what is known of its entities, and for each payment features, rules and decision; then the same
without entities, and decoding alone: the parts are differences within one round. Arguments: a folder with ``ruleset.yaml``,
``profiles.json`` and ``entities.json`` (user, or id in hex, to stored form in base64) and events ``*.event.json``; and the number of
rounds. The events ``*.hot.json`` are the same payments, all at one busy merchant.
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

from cache.label_copies import copies_of, keys_of
from contract.entity_ids import entity_ids
from engine.decide import decide
from engine.entities.book import EntityBook
from engine.entities.kinds import POPULATION_IDS
from engine.entities.risk import has_risk
from engine.entities.sightings import additions
from engine.profile import from_bytes
from engine.rules.ruleset import parse_ruleset
from score.delivery import read_batch
from score.label_work import LabelWork

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.profile import Profile
    from engine.rules.ruleset import Ruleset
    from score.delivery import KafkaEvent


class Logic:
    """What every batch needs."""

    def __init__(
        self,
        profiles: Mapping[str, Profile],
        entities: Mapping[bytes, bytes],
        ruleset: Ruleset,
        now: datetime,
    ) -> None:
        self._profiles = profiles
        self._entities = entities
        self._ruleset = ruleset
        self._now = now

    def decode(self, event: KafkaEvent) -> None:
        """Decode a batch alone."""
        read_batch(event, self._now)

    def without_entities(self, event: KafkaEvent) -> None:
        """Decide a batch whose entities are not known."""
        for delivery in read_batch(event, self._now).deliveries:
            decide(delivery.facts, self._profiles[delivery.user_id], self._ruleset)

    def whole(self, event: KafkaEvent) -> None:
        """Decide a batch as the stage does: with what is known of its entities and what labels say, and what it adds to them."""
        deliveries = read_batch(event, self._now).deliveries
        ids = [entity_ids(delivery.facts.transaction) for delivery in deliveries]
        keys = {entity_id for each in ids for entity_id in each if entity_id is not None}
        found = {key: self._entities[key] for key in (*POPULATION_IDS, *keys) if key in self._entities}
        book = EntityBook(found)
        labels = LabelWork()
        users = list({delivery.user_id: None for delivery in deliveries})
        risky = [key for key in (*POPULATION_IDS, *keys) if has_risk(key)]
        # As nearly always: of these users and entities nobody has said anything.
        labels.use(copies_of(users, risky, [None] * len(keys_of(users, risky))))
        seen = []
        for delivery, each in zip(deliveries, ids, strict=True):
            known = book.read(each, delivery.facts.clock_ms // 1000)
            profile = self._profiles[delivery.user_id]
            verdicts, risks = labels.verdicts(delivery.user_id, self._now), labels.risks(each)
            sighting = decide(delivery.facts, profile, self._ruleset, verdicts, known, risks).sighting
            book.fold(each, sighting)
            seen.append((each, sighting))
        additions(seen)


def cpu_us(step: Callable[[KafkaEvent], None], events: Sequence[KafkaEvent]) -> float:
    """CPU of a payment, µs."""
    payments = sum(len(records) for event in events for records in event["records"].values())
    began = time.process_time()
    for event in events:
        step(event)
        gc.collect(0)  # as the stage's handler does between batches; its cost is a part of theirs
    return (time.process_time() - began) * 1e6 / payments


def main() -> None:
    """Print the CPU of a payment in each round, by part, µs."""
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    stored = json.loads((folder / "profiles.json").read_bytes())
    profiles = {user: from_bytes(b64decode(data)) for user, data in stored.items()}
    stored = json.loads((folder / "entities.json").read_bytes())
    entities = {bytes.fromhex(entity_id): b64decode(data) for entity_id, data in stored.items()}
    model = (folder / "model.json").read_bytes()
    ruleset = parse_ruleset((folder / "ruleset.yaml").read_text(), "ruleset.yaml", lambda _: model or None)
    logic = Logic(profiles, entities, ruleset, datetime.now(UTC))
    events = [json.loads(file.read_bytes()) for file in sorted(folder.glob("*.event.json"))]
    hot = [json.loads(file.read_bytes()) for file in sorted(folder.glob("*.hot.json"))]
    parts = {
        "whole": (logic.whole, events),
        "without_entities": (logic.without_entities, events),
        "decode": (logic.decode, events),
        "hottest": (logic.whole, hot),
    }
    for step, batches in parts.values():
        cpu_us(step, batches[:3])  # warm: caches of the interpreter, lazy imports
    gc.freeze()
    gc.disable()
    costs: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(rounds):
        for name, (step, batches) in parts.items():
            costs[name].append(cpu_us(step, batches))
    sys.stdout.write(json.dumps(costs) + "\n")


if __name__ == "__main__":
    main()
