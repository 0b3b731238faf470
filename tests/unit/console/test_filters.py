"""A filter of the queue is kept under a name, used, renamed and deleted by the person whose it is, and by nobody else."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from console.rights import Group
from contract.alert import Severity
from contract.case import Tally
from contract.saved_filter import MAX_FILTERS, filter_name

if TYPE_CHECKING:
    from tests.support.console_world import Answer, ConsoleWorld

WANTED = {"view": "open", "severity": "high", "least": "10000"}


def keep(world: ConsoleWorld, name: str) -> Answer:
    return world.post("/queue/filters", {"name": name, **WANTED})


def filters_of(page: str) -> list[tuple[str, str, str]]:
    """Address, name and count."""
    return re.findall(r'<a href="(/queue/filters/[^"]+)"[^>]*>(.+?) (\d+)</a>', page)


def test_a_filter_that_is_kept_narrows_the_queue_again(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    world.put_case("user-1", severity=Severity.HIGH)
    large = world.put_case("user-2", severity=Severity.HIGH, undecided=Tally(1, Decimal(20_000)))
    offered = world.get("/queue?view=open&severity=high&least=10000").body

    saved = keep(world, "  Large   ones ")
    ((path, name, count),) = filters_of(world.get("/queue?view=all").body)
    used = world.get(path)

    assert "Keep this filter as" in offered
    assert (
        saved.headers["location"] == used.headers["location"] == "/queue?view=open&severity=high&least=10000"
    )
    assert (name, count) == ("Large ones", "1")
    page = world.get(used.headers["location"]).body
    assert f'href="/cases/{large.case_id}"' in page
    assert page.count("data-row") == 1
    assert "Keep this filter as" not in page
    assert [action for _, action, _ in world.deeds()].count("filter_used") == 1


def test_a_filter_is_renamed_and_deleted(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    keep(world, "Large ones")
    ((path, _, _),) = filters_of(world.get("/queue").body)
    filter_id = path.rpartition("/")[2]

    world.post("/queue/filters/rename", {"subject": filter_id, "name": "Mine"})
    renamed = filters_of(world.get("/queue").body)
    world.post("/queue/filters/delete", {"subject": filter_id})

    assert [name for _, name, _ in renamed] == ["Mine"]
    assert filters_of(world.get("/queue").body) == []
    assert world.get(path).status == 404
    assert world.post("/queue/filters/rename", {"subject": filter_id, "name": "Back"}).status == 404


def test_nobody_sees_or_changes_the_filters_of_others(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST, person="person-2")
    keep(world, "Large ones")
    ((path, _, _),) = filters_of(world.get("/queue").body)
    filter_id = path.rpartition("/")[2]
    world.sign_in(Group.ANALYST, person="person-1")

    assert filters_of(world.get("/queue").body) == []
    assert world.get(path).status == 404
    assert world.post("/queue/filters/rename", {"subject": filter_id, "name": "Mine"}).status == 404
    world.post("/queue/filters/delete", {"subject": filter_id})
    world.sign_in(Group.ANALYST, person="person-2")
    assert [name for _, name, _ in filters_of(world.get("/queue").body)] == ["Large ones"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "4111 1111 1111 1111",
        "card 4111-11",
        "192.168.0.1",
        "ann@example.com",
        "_tok",
        "<b>x</b>",
        "x" * 41,
        "a\x00b",
        "12345",
    ],
)
def test_no_id_card_or_address_becomes_a_name(world: ConsoleWorld, name: str) -> None:
    world.sign_in(Group.ANALYST)

    assert keep(world, name).status == 422
    assert filters_of(world.get("/queue").body) == []


@pytest.mark.parametrize("name", ["Overdue, over 1000", "Zürich/Genève", "Überfällig (2)", "重要", "a"])
def test_a_name_is_what_people_write(name: str) -> None:
    assert filter_name(name) == name


def test_a_name_is_given_once_and_filters_have_a_limit(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    keep(world, "Large ones")

    assert keep(world, "LARGE ones").status == 422
    for number in range(MAX_FILTERS - 1):
        assert keep(world, f"Number {number}").status == 303
    assert keep(world, "One more").status == 422
    assert len(filters_of(world.get("/queue").body)) == MAX_FILTERS


def test_an_auditor_keeps_no_filters(world: ConsoleWorld) -> None:
    world.sign_in(Group.AUDITOR)

    page = world.get("/queue?view=open&severity=high&least=any").body

    assert "Keep this filter" not in page
    assert keep(world, "Mine").status == 403
