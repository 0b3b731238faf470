"""The graph shows what a case shares, most shared first, with counts, and draws no more than fits."""

from __future__ import annotations

from console.link_graph import MAX_CASES, MAX_COUNTED, MAX_ENTITIES, SIZE, link_graph

ME = "0" * 32 + "-1"


def case(number: int) -> str:
    return f"{number:032x}-1"


def test_shared_values_come_first_and_lead_to_their_cases() -> None:
    links = {"m:1": [ME], "d:2": [ME, case(1), case(2)], "c:3": [case(2)]}
    words = {case(1): "high, open", case(2): "medium, fraud"}

    graph = link_graph(ME, links, {"d:2": "…1234"}, words)

    assert [(node.kind, node.value, node.count, node.number) for node in graph.entities] == [
        ("device", "…1234", "2 other cases", 1),
        ("card", "", "1 other case", 2),
        ("merchant", "", "no other case", 0),
    ]
    assert [(node.case_id, node.words) for node in graph.cases] == list(words.items())
    assert len(graph.edges) == 2 + 3  # to the two shared values, and from them to cases
    assert graph.summary == "2 other cases by 2 shared values."


def test_nothing_shared_is_said() -> None:
    graph = link_graph(ME, {"m:1": [ME]}, {}, {})

    assert graph.summary.startswith("No other case has the same card")
    assert (graph.edges, graph.cases) == ((), ())


def test_a_value_that_thousands_share_is_capped_and_says_so() -> None:
    others = [case(number) for number in range(1, MAX_COUNTED + 1)]

    graph = link_graph(ME, {"m:1": others}, {}, dict.fromkeys(others, "high, open"))

    assert graph.entities[0].count == "50 or more other cases"
    assert len(graph.cases) == MAX_CASES
    assert graph.summary == "50 other cases by 1 shared value; 24 are drawn."


def test_the_picture_holds_everything_that_it_draws() -> None:
    links = {f"d:{number}": [case(number), case(number + 1)] for number in range(1, 30)}
    words = {case(number): "high, open" for number in range(1, 40)}

    graph = link_graph(ME, links, {}, words)

    drawn = [node for node in graph.entities if node.is_drawn]
    assert len(drawn) == MAX_ENTITIES
    places = [(node.x, node.y) for node in drawn] + [(node.x, node.y) for node in graph.cases]
    assert all(0 < x < SIZE and 0 < y < SIZE for x, y in places)
    assert len(set(places)) == len(places)


def test_a_case_that_is_not_kept_any_more_is_counted_and_not_drawn() -> None:
    graph = link_graph(ME, {"d:1": [case(1)]}, {}, {})

    assert (graph.entities[0].others, graph.cases) == (1, ())
