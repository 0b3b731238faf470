"""Dashboard and alarms use exactly the metrics that are emitted, and each alarm has a runbook whose commands exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import botocore.session
import pytest
from botocore import xform_name

from ops.manifests import ROOT
from tests.terraform.emitted_metrics import emitted
from tests.terraform.rendered_modules import NAMESPACE, NOTIFIED
from tests.terraform.rendering import alarms, dashboard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from botocore.model import OperationModel

RUNBOOKS: Final = ROOT / "docs" / "runbooks"
SECTIONS: Final = ["What it means", "How to see it", "What to do", "How to know it is over"]
CLI_SERVICES: Final = {"s3api": "s3"}
"""Commands of the AWS CLI whose name differs from botocore's service."""
CLI_OPTIONS: Final = {"query", "output", "max-items", "region", "profile"}
"""Options of every command."""


def _metrics_of_dashboard() -> set[tuple[str, str]]:
    return {
        (metric[3], metric[1])
        for widget in dashboard()["widgets"]
        for metric in widget["properties"].get("metrics", [])
        if metric[0] == NAMESPACE
        and "service" in metric  # the others are counted in API Gateway's access log
    }


def _metrics_of_alarms() -> set[tuple[str, str]]:
    return {
        (metric["dimensions"]["service"], metric["metric_name"])
        for alarm in alarms()
        for query in alarm.get("metric_query", [])
        for metric in query["metric"]
        if metric["namespace"] == NAMESPACE and "service" in (metric["dimensions"] or {})
    }


def _kind(alarm: dict[str, Any]) -> str:
    found = re.search(r" Runbook: docs/runbooks/([a-z-]+)\.md$", alarm["alarm_description"])
    assert found, f"{alarm['alarm_name']} names no runbook"
    return found.group(1)


def _alarm_runbooks() -> Iterator[tuple[str, Path]]:
    for file in sorted(RUNBOOKS.glob("*.md")):
        if title := re.match(r"# Alarm: (.+)\n", file.read_text()):
            yield title.group(1), file


def test_the_dashboard_shows_every_metric_that_is_emitted_and_no_other() -> None:
    assert _metrics_of_dashboard() == emitted()


def test_alarms_watch_only_metrics_that_are_emitted() -> None:
    assert _metrics_of_alarms() <= emitted()


def _lag(waiting: float | None, received: float | None, estimate: float | None) -> float | None:
    """Value of the alarm's expression in a minute with these metrics; None is a minute without a data point."""
    (alarm,) = (alarm for alarm in alarms() if alarm["alarm_name"] == "fraud-test-offset-lag-score")
    (expression,) = (query["expression"] for query in alarm["metric_query"] if query["expression"])
    functions = {
        "IF": lambda condition, value, otherwise: value if condition else otherwise,
        "FILL": lambda value, missing: missing if value is None else value,
    }
    if waiting is None:
        assert "FILL(waiting" not in expression
        return None
    metrics = {"waiting": waiting, "received": received, "estimate": estimate}
    value: float = eval(expression, functions, metrics)  # metric math of these functions is valid Python
    return value


@pytest.mark.parametrize(
    ("waiting", "received", "estimate", "is_late"),
    [
        pytest.param(0, 600, 0, False, id="it keeps up"),
        pytest.param(0, None, None, False, id="nobody pays"),
        pytest.param(200_000, 600_000, 20, False, id="a peak of 20 seconds"),
        pytest.param(200_000, 60_000, 200, True, id="too slow for the traffic"),
        pytest.param(70, 60, 70, True, id="too slow for little traffic"),
        pytest.param(1, None, None, True, id="one payment waits for a dead stage"),
        pytest.param(3_000, None, 0, True, id="a dead stage for which MSK estimates nothing"),
        pytest.param(None, None, None, False, id="not reported yet"),
    ],
)
def test_lag_is_judged_by_time_and_a_dead_stage_is_late(
    waiting: float | None, received: float | None, estimate: float | None, is_late: bool
) -> None:
    # MSK, "Amazon MSK metrics": EstimatedMaxTimeLag is the time, in seconds, to drain MaxOffsetLag; SumOffsetLag is in records.
    (alarm,) = (alarm for alarm in alarms() if alarm["alarm_name"] == "fraud-test-offset-lag-score")

    value = _lag(waiting, received, estimate)

    assert (value is not None and value > alarm["threshold"]) == is_late


def test_the_dashboard_follows_a_payment_from_top_to_bottom() -> None:
    texts = [widget for widget in dashboard()["widgets"] if widget["type"] == "text"]

    headings = [
        text["properties"]["markdown"].splitlines()[0] for text in sorted(texts, key=lambda text: text["y"])
    ]

    numbered = [heading for heading in headings if re.match(r"## \d\.", heading)]
    assert headings[0] == "## Is anything wrong?"
    assert [heading[3] for heading in numbered] == [str(number) for number in range(1, 10)]
    assert headings.index(numbered[0]) < headings.index("## Tables")


def test_widgets_of_the_dashboard_do_not_overlap_and_fit_its_24_columns() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in dashboard()["widgets"]:
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken, widget["properties"]
        taken |= cells
    assert {x for x, _ in taken} == set(range(24))


def test_every_metric_of_a_widget_has_cloudwatchs_form() -> None:
    for widget in dashboard()["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            namespace, name, *dimensions, options = metric
            assert isinstance(namespace, str)
            assert isinstance(name, str)
            assert len(dimensions) % 2 == 0
            assert all(isinstance(part, str) for part in dimensions)
            assert "stat" in options


def test_every_alarm_is_on_the_dashboard() -> None:
    shown = {
        arn.rpartition(":")[2]
        for widget in dashboard()["widgets"]
        for arn in widget["properties"].get("alarms", [])
    }

    assert shown == {alarm["alarm_name"] for alarm in alarms()}


def test_every_alarm_has_its_runbook_and_every_runbook_of_an_alarm_its_alarm() -> None:
    assert {_kind(alarm) for alarm in alarms()} == {kind for kind, _ in _alarm_runbooks()}


def test_the_runbook_of_pages_has_a_place_for_each_alarm_that_pages() -> None:
    placed = re.findall(r"`([a-z-]+)`", (RUNBOOKS / "page.md").read_text())
    paging = {_kind(alarm) for alarm in alarms() if alarm["alarm_actions"] == [NOTIFIED["page"]]}

    assert [
        kind for kind in paging if not any(kind == name or kind.startswith(f"{name}-") for name in placed)
    ] == []


def test_every_alarm_notifies_on_its_own_and_none_through_a_composite_alarm() -> None:
    # CloudWatch API, PutCompositeAlarm: actions run when an alarm changes to ALARM from another state. A composite alarm that is in
    # ALARM does not change when another of its alarms opens, and its actions suppressor suppresses all of its actions.
    overviews = {
        alarm["alarm_name"].removeprefix("fraud-test-"): alarm for alarm in alarms() if "alarm_rule" in alarm
    }
    assert set(overviews) == set(NOTIFIED)
    for severity, overview in overviews.items():
        assert not overview["alarm_actions"]
        assert not overview["ok_actions"]
        assert not overview["actions_suppressor"]
        listed = set(re.findall(r'ALARM\("([^"]+)"\)', overview["alarm_rule"]))
        notifying = {
            alarm["alarm_name"]
            for alarm in alarms()
            if alarm["alarm_actions"] == alarm["ok_actions"] == [NOTIFIED[severity]]
        }
        assert notifying == listed


def test_the_first_installation_names_each_alarm_that_it_opens_with_its_severity() -> None:
    # CloudWatch takes the time before an alarm's creation for missing data.
    guide = (RUNBOOKS / "first-installation.md").read_text()
    severities = {arn: severity for severity, arn in NOTIFIED.items()}

    opened = {
        (alarm["alarm_name"].removeprefix("fraud-test-"), severities[alarm["alarm_actions"][0]])
        for alarm in alarms()
        if alarm.get("treat_missing_data") == "breaching"
    }

    rows = re.findall(r"^ *\| (`.+?) \| (page|ticket) \|", guide, re.MULTILINE)
    assert {
        (name, severity) for names, severity in rows for name in re.findall(r"`([a-z_-]+)`", names)
    } == opened


@pytest.mark.parametrize(("kind", "file"), list(_alarm_runbooks()))
def test_a_runbook_is_named_like_its_alarm_and_has_all_four_sections(kind: str, file: Path) -> None:
    text = file.read_text()

    assert file.stem == kind
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert all(part.strip() for part in re.split(r"^## .+$", text, flags=re.MULTILINE))
    assert "```sh" in text.partition("## How to see it")[2].partition("## What to do")[0]


@pytest.mark.parametrize(("kind", "file"), list(_alarm_runbooks()))
def test_links_of_a_runbook_lead_to_files(kind: str, file: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", file.read_text()):
        assert (file.parent / target.partition("#")[0]).is_file(), f"{file.name}: {target}"


def _operations(text: str) -> Iterator[tuple[str, OperationModel, list[str]]]:
    session = botocore.session.get_session()
    for command in re.findall(r"\baws [a-z0-9-]+ [a-z0-9-]+[^\n`]*", text):
        service, operation, rest = re.match(r"aws (\S+) (\S+)(.*)", command).groups()  # type: ignore[union-attr]
        model = session.get_service_model(CLI_SERVICES.get(service, service))
        names = {xform_name(name, "-"): name for name in model.operation_names}
        assert operation in names, f"`aws {service}` has no command {operation}"
        outside_quotes = re.sub(r"'[^']*'|\"[^\"]*\"", "_", rest)
        yield command, model.operation_model(names[operation]), re.findall(r" --([a-z0-9-]+)", outside_quotes)


@pytest.mark.parametrize(("kind", "file"), list(_alarm_runbooks()))
def test_aws_commands_of_a_runbook_exist_with_their_options(kind: str, file: Path) -> None:
    for command, operation, options in _operations(file.read_text()):
        shape = operation.input_shape
        members = {} if shape is None else {xform_name(name, "-"): name for name in shape.members}
        required = set() if shape is None else {xform_name(name, "-") for name in shape.required_members}
        assert set(options) - CLI_OPTIONS <= set(members), command
        assert required <= set(options), command


@pytest.mark.parametrize(("kind", "file"), list(_alarm_runbooks()))
def test_make_commands_of_a_runbook_exist(kind: str, file: Path) -> None:
    makefiles = [ROOT / "Makefile", *sorted((ROOT / "ops").glob("*.mk"))]
    targets = {
        target
        for makefile in makefiles
        for target in re.findall(r"^([a-z][a-z-]*):", makefile.read_text(), re.M)
    }

    named = set(re.findall(r"\bmake (?:-s )?([a-z][a-z-]*)", file.read_text()))

    assert named <= targets


@pytest.mark.parametrize(("kind", "file"), list(_alarm_runbooks()))
def test_outputs_that_a_runbook_reads_exist(kind: str, file: Path) -> None:
    outputs = set(
        re.findall(r'^output "(\w+)"', (ROOT / "terraform" / "outputs.tf").read_text(), re.MULTILINE)
    )

    named = set(re.findall(r"\bmake -s output ENV=\$ENV NAME=(\w+)", file.read_text()))

    assert named <= outputs


FREE_KAFKA_METRICS: Final = {
    "EstimatedMaxTimeLag",
    "KafkaDataLogsDiskUsed",
    "OfflinePartitionsCount",
    "SumOffsetLag",
}
"""Of the `DEFAULT` level of monitoring, as far as they are used ("Amazon MSK metrics for monitoring Standard brokers with CloudWatch")."""


def test_alarms_and_dashboard_read_no_metric_of_msk_that_costs() -> None:
    watched = {
        metric["metric_name"]
        for alarm in alarms()
        for query in alarm.get("metric_query", [])
        for metric in query["metric"]
        if metric["namespace"] == "AWS/Kafka"
    }
    drawn = {
        metric[1]
        for widget in dashboard()["widgets"]
        for metric in widget["properties"].get("metrics", [])
        if metric[0] == "AWS/Kafka"
    }

    assert watched
    assert drawn
    assert watched | drawn <= FREE_KAFKA_METRICS
