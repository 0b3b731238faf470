"""What holds for looking around from a case: on DynamoDB's own server, and on moto."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from common.case_lookups import MAX_COUNTED, SHOWN_LINKS, SIMILAR, CaseLookups, Tables
from common.cases import cases_backoff
from contract.case import Case, CaseStatus, CaseVerdict, SecondLook, to_case_item, to_link_item
from contract.case_work import agree
from tests.support.cases import make_case
from tests.support.payments import NOW, Log

if TYPE_CHECKING:
    from collections.abc import Iterable

CARD, DEVICE, SHOP = "c:0001020304050607", "d:0001020304050607", "m:0001020304050607"


def closed(user: int, minutes: int = 0, **changes: Any) -> Case:
    """A case that Ann closed some minutes after :data:`NOW`."""
    fields = {
        "status": CaseStatus.CLOSED,
        "verdict": CaseVerdict.FRAUD,
        "closed_by": "ann",
        "closed_at": NOW + timedelta(minutes=minutes),
    }
    return make_case(f"user-{user}", **fields | changes)


class LookupTables:
    """The tables, as a test fills them."""

    def __init__(self, client: Any, cases: str, links: str) -> None:
        self._client = client
        self._tables = Tables(cases, links)
        self.log = Log()
        self.lookups = CaseLookups(client, self._tables, cases_backoff(lambda _: None, lambda: 0.5), self.log)

    def put_item(self, item: Any) -> None:
        """Write a row of cases as it is."""
        self._client.put_item(TableName=self._tables.cases, Item=item)

    def put(self, *cases: Case) -> None:
        """Write cases with their links."""
        for case in cases:
            self._client.put_item(TableName=self._tables.cases, Item=to_case_item(case))
            for name in case.entities:
                self._client.put_item(TableName=self._tables.links, Item=to_link_item(name, case))


def _ids(cases: Iterable[Any]) -> list[str]:
    return [case.key.case_id for case in cases]


class CaseLookupContract:
    """Tests of the lookups; a subclass has the fixture ``tables``."""

    def test_what_few_cases_share_comes_first_and_the_newest_are_shown(self, tables: LookupTables) -> None:
        case = make_case(entities=(SHOP, DEVICE, CARD))
        tables.put(case)
        others = [
            make_case(f"user-{number + 2}", entities=(SHOP,), opened_at=NOW + timedelta(minutes=number))
            for number in range(SHOWN_LINKS + 2)
        ]
        tables.put(*others, make_case("user-99", entities=(DEVICE,)))

        few, many = tables.lookups.links(case)

        assert (few.entity_id, few.case_count, few.has_more) == (DEVICE, 1, False)
        assert _ids(few.cases) == [make_case("user-99").case_id]
        assert (many.entity_id, many.case_count, many.has_more) == (SHOP, SHOWN_LINKS + 2, False)
        assert _ids(many.cases) == _ids(reversed(others))[:SHOWN_LINKS]

    def test_an_entity_that_everybody_touches_is_counted_to_the_cap(self, tables: LookupTables) -> None:
        case = make_case(entities=(SHOP,))
        tables.put(case)
        tables.put(*(make_case(f"user-{number + 2}", entities=(SHOP,)) for number in range(MAX_COUNTED + 1)))

        (link,) = tables.lookups.links(case)

        assert (len(link.cases), link.case_count, link.has_more) == (SHOWN_LINKS, MAX_COUNTED, True)

    def test_a_case_that_shares_nothing_has_no_links(self, tables: LookupTables) -> None:
        tables.put(make_case(), make_case("user-2", entities=(DEVICE,)))

        assert tables.lookups.links(make_case()) == ()

    def test_similar_cases_have_the_same_two_strongest_reasons_the_newest_first(
        self, tables: LookupTables
    ) -> None:
        alike = [
            closed(number, number, reasons={"high_amount": 40 + number, "impossible_travel": 60, "other": 1})
            for number in range(SIMILAR + 3)
        ]
        tables.put(*alike, closed(77, reasons={"high_amount": 40, "new_device": 60}), make_case("user-78"))

        found = tables.lookups.similar(alike[-1])

        assert _ids(found) == _ids(reversed(alike[:-1]))[:SIMILAR]
        assert (found[0].verdict, found[0].closed_by) == ("fraud", "ann")
        assert tables.lookups.similar(make_case(reasons={})) == []

    def test_cases_wait_for_a_second_person_until_one_has_agreed(self, tables: LookupTables) -> None:
        hour = timedelta(hours=1)
        late = closed(1, 1, second_look=SecondLook(NOW + 9 * hour))
        early = make_case("user-2", second_look=SecondLook(NOW + hour))
        tables.put(late, early, closed(3))

        waiting = _ids(tables.lookups.second_looks(10))
        agreed = agree(early, "bob", 0, NOW)
        assert isinstance(agreed, Case)
        tables.put(agreed)

        assert waiting == _ids([early, late])
        assert _ids(tables.lookups.second_looks(10)) == _ids([late])

    def test_a_case_that_cannot_be_read_is_left_out_of_second_looks(self, tables: LookupTables) -> None:
        tables.put(make_case(second_look=SecondLook(NOW)))
        damaged = to_case_item(make_case("user-2", second_look=SecondLook(NOW)))
        tables.put_item(damaged | {"severity": {"S": "extreme"}})

        waiting = tables.lookups.second_looks(10)

        assert _ids(waiting) == _ids([make_case()])
        assert [line["attribute"] for line in tables.log.lines] == ["severity"]
