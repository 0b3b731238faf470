"""The graph shows what a case shares, what says most first, with counts, and draws no more than fits."""

from __future__ import annotations

from console.link_graph import MAX_CASES, MAX_ENTITIES, SIZE, Shared, link_graph


def case(number: int) -> str:
    return f"{number:032x}-1"


def test_shared_values_come_first_and_lead_to_their_cases() -> None:
    shared = {"c:3": Shared((case(2),), 1), "d:2": Shared((case(1), case(2)), 2)}
    words = {case(2): "medium, fraud", case(1): "high, open"}

    graph = link_graph(["m:1", "d:2", "c:3"], shared, {"d:2": "…1234"}, words)

    assert [(node.kind, node.value, node.count, node.number) for node in graph.entities] == [
        ("card", "", "1 other case", 2),
        ("device", "…1234", "2 other cases", 1),
        ("merchant", "", "no other case", 0),
    ]
    assert [(node.case_id, node.words) for node in graph.cases] == list(words.items())
    assert [node.shares for node in graph.cases] == ["card, device …1234", "device …1234"]
    assert len(graph.edges) == 2 + 3  # to the two shared values, and from them to cases
    assert graph.summary == "2 of its values are in other cases too; the newest 2 of these cases are drawn."


def test_nothing_shared_is_said() -> None:
    graph = link_graph(["m:1"], {}, {}, {})

    assert graph.summary.startswith("No other case has the same card")
    assert (graph.edges, graph.cases) == ((), ())


def test_a_value_that_thousands_share_says_so() -> None:
    graph = link_graph(["m:1"], {"m:1": Shared((case(1),), 100, has_more=True)}, {}, {case(1): "high, open"})

    assert graph.entities[0].count == "more than 100 other cases"
    assert graph.summary == "1 of its values is in other cases too."


def test_the_picture_holds_everything_that_it_draws() -> None:
    names = [f"d:{number}" for number in range(30)]
    shared = {name: Shared((case(number), case(number + 1)), 2) for number, name in enumerate(names, 1)}
    words = {case(number): "high, open" for number in range(1, 40)}

    graph = link_graph(names, shared, {}, words)

    drawn = [node for node in graph.entities if node.is_drawn]
    assert (len(drawn), len(graph.entities)) == (MAX_ENTITIES, 30)
    assert len(graph.cases) <= MAX_CASES
    places = [(node.x, node.y) for node in drawn] + [(node.x, node.y) for node in graph.cases]
    assert all(0 < x < SIZE and 0 < y < SIZE for x, y in places)
    assert len(set(places)) == len(places)


def test_a_case_that_is_not_kept_any_more_is_counted_and_not_drawn() -> None:
    graph = link_graph(["d:1"], {"d:1": Shared((), 1)}, {}, {})

    assert (graph.entities[0].count, graph.cases) == ("1 other case", ())
