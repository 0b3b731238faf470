"""What both stages rely on in the cache's copies of what labels say; held for fakeredis and a real Valkey."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from cache.label_copies import (
    COMPLETE_KEY,
    NO_COPIES,
    RETENTION_S,
    RISK_PREFIX,
    USUAL_RATE_KEY,
    VERDICTS_PREFIX,
    LabelCopies,
    RedisLabelCopies,
    copies_of,
    keys_of,
)
from cache.primary import ENTITY_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    import redis

CARD, DEVICE = b"c12345678", b"d\x00\xff{}\r\n12"
USER = "Zoë {2}"


def read(
    client: redis.Redis, user_ids: Sequence[str] = (USER,), entity_ids: Sequence[bytes] = (CARD, DEVICE)
) -> LabelCopies:
    """Read copies as the score stage does."""
    values = cast("list[bytes | None]", client.mget(keys_of(user_ids, entity_ids)))
    return copies_of(user_ids, entity_ids, values)


class LabelCopiesContract:
    """A subclass, or its module, gives the fixtures ``client`` and ``admin``, a client of the same cache that may do everything."""

    def test_copies_are_read_as_they_were_written(self, client: redis.Redis) -> None:
        copies = RedisLabelCopies(client)

        copies.write({CARD: b"\x01c", DEVICE: b"\x00d"}, {USER: b"\xffv"})
        copies.write_usual_rate(0.00125)
        assert copies.move_look(copies.look(), b"done", is_complete=True)

        assert read(client) == LabelCopies(
            {CARD: b"\x01c", DEVICE: b"\x00d"}, {USER: b"\xffv"}, b"0.001250", is_complete=True
        )
        assert copies.is_complete()

    def test_look_moves_only_from_where_it_was_and_is_complete_with_its_last_step(
        self, client: redis.Redis
    ) -> None:
        copies = RedisLabelCopies(client)
        assert copies.look() == b""

        assert copies.move_look(b"", b"a")
        assert not copies.move_look(b"", b"b", is_complete=True)
        assert (copies.look(), copies.is_complete()) == (b"a", False)
        assert copies.move_look(b"a", b"c", is_complete=True)

        assert (copies.look(), copies.is_complete()) == (b"c", True)

    def test_copies_and_populations_are_read_by_key(self, client: redis.Redis) -> None:
        copies = RedisLabelCopies(client)
        copies.write({CARD: b"1"}, {USER: b"2"})
        client.set(ENTITY_PREFIX + b"ac", b"cards")

        assert copies.read([CARD, DEVICE], [USER, "other"]) == read(client)
        assert copies.populations([b"ac", b"am"]) == [b"cards", None]

    def test_an_empty_cache_has_none(self, client: redis.Redis) -> None:
        assert read(client) == NO_COPIES
        assert not RedisLabelCopies(client).is_complete()

    def test_a_copy_is_replaced_as_a_whole_or_removed_and_others_stay(self, client: redis.Redis) -> None:
        copies = RedisLabelCopies(client)
        copies.write({CARD: b"1", DEVICE: b"2"}, {USER: b"3", "other": b"4"})

        copies.write({CARD: None, DEVICE: b"5"}, {USER: None})

        assert read(client, [USER, "other"]) == LabelCopies({DEVICE: b"5"}, {"other": b"4"}, None, False)

    def test_nothing_to_write_is_no_error(self, client: redis.Redis) -> None:
        RedisLabelCopies(client).write({}, {})

        assert read(client) == NO_COPIES

    def test_the_mark_can_be_removed(self, client: redis.Redis) -> None:
        copies = RedisLabelCopies(client)
        assert copies.move_look(copies.look(), b"done", is_complete=True)

        client.delete(COMPLETE_KEY)

        assert not copies.is_complete()

    def test_copies_expire_but_neither_the_mark_nor_the_usual_rate(
        self, client: redis.Redis, admin: redis.Redis
    ) -> None:
        copies = RedisLabelCopies(client)
        copies.write({CARD: b"1"}, {USER: b"3"})
        copies.write_usual_rate(0.1)
        assert copies.move_look(copies.look(), b"done", is_complete=True)

        kept = [admin.ttl(key) for key in (RISK_PREFIX + CARD, VERDICTS_PREFIX + USER)]

        assert all(RETENTION_S - 60 < each <= RETENTION_S for each in kept)
        assert [admin.ttl(key) for key in (USUAL_RATE_KEY, COMPLETE_KEY)] == [-1, -1]

    def test_copies_are_kept_for_longer_unless_they_changed_or_are_gone(
        self, client: redis.Redis, admin: redis.Redis
    ) -> None:
        copies = RedisLabelCopies(client)
        copies.write({CARD: b"1", DEVICE: b"2"}, {USER: b"3"})
        for key in (RISK_PREFIX + CARD, RISK_PREFIX + DEVICE, VERDICTS_PREFIX + USER):
            admin.expire(key, 60)

        copies.renew({CARD: b"1", DEVICE: b"older", b"m12345678": b"4"}, {USER: b"3"})
        copies.renew({}, {})

        assert read(client, entity_ids=(CARD, DEVICE, b"m12345678")) == LabelCopies(
            {CARD: b"1", DEVICE: b"2"}, {USER: b"3"}, None, is_complete=False
        )
        assert admin.ttl(RISK_PREFIX + CARD) > RETENTION_S - 60 < admin.ttl(VERDICTS_PREFIX + USER)
        assert admin.ttl(RISK_PREFIX + DEVICE) <= 60
