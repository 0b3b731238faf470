"""Decides about payments in the order of a file, and prints a digest of everything that was decided and folded.

``python deciding.py <ruleset> <payments>`` uses whichever engine is on its path: that of the tree, or that of a zip. It prints the digest, and the
file from which the features were imported.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from contract.clock import TimeBasis, times_on
from contract.entity_ids import entity_ids
from contract.scored import Position
from contract.transaction import decode_transaction
from engine.decide import decide
from engine.entities.book import EntityBook
from engine.features import catalogue
from engine.features.stored import pack
from engine.profile import Profile, from_bytes, to_bytes
from engine.profile.facts import PaymentFacts
from engine.rules.ruleset import parse_ruleset

STORED_EVERY = 17
"""Profiles are written and read again after so many payments,"""
SETTLED_EVERY = 50
"""and entities settled after so many, as at the end of a batch."""


def main() -> None:
    """Decide, and print."""
    ruleset = parse_ruleset(Path(sys.argv[1]).read_text())
    digest = hashlib.sha256()
    book, profiles = EntityBook(), dict[str, Profile]()
    for number, line in enumerate(Path(sys.argv[2]).read_bytes().splitlines(), 1):
        transaction = decode_transaction(line)
        user = transaction.user_id
        facts = PaymentFacts.of(transaction, times_on(TimeBasis.TRUSTED, transaction.timestamp, 0))
        profile = profiles.setdefault(user, Profile())
        ids = entity_ids(transaction)
        decided = decide(facts, profile, ruleset, (), book.read(ids, facts.clock_ms // 1000))
        said = (
            decided.features.in_order,
            pack(decided.features),
            decided.assessment,
            tuple(decided.sighting),
        )
        digest.update(repr((said, decided.outcome)).encode())
        profile.fold(facts, decided.outcome, Position("transaction_stream", 0, number))
        book.fold(ids, decided.sighting)
        if number % SETTLED_EVERY == 0:
            book.settle()
        if number % STORED_EVERY == 0:
            stored = to_bytes(profile)
            digest.update(stored)
            profiles[user] = from_bytes(stored)
    for entity_id, state in sorted(book.packed().items()):
        digest.update(entity_id + state)
    sys.stdout.write(f"{digest.hexdigest()} {catalogue.__file__}\n")


if __name__ == "__main__":
    main()
