"""docs/cost.md: what each environment costs a month, and what prod would cost at other volumes.

``python -m ops.cost_page`` prints it; `make infra-docs` writes it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec

from ops.console_cost import console_usd
from ops.cost import Line, bill, dominating, label_usd, total, without_protection
from ops.environment import ROOT
from ops.prices import Prices
from ops.rollout_cost import rollout_usd
from ops.serverless_cost import serverless_usd
from ops.sizing import sizing_of
from ops.training_cost import training_usd

if TYPE_CHECKING:
    from pathlib import Path


class Volume(msgspec.Struct, frozen=True):
    """One column of a table: a number of payments a month, and their bill."""

    name: str
    payments: float
    lines: list[Line]
    changed: dict[str, Any] = {}
    """By field of `ops.sizing.Sizing`: what differs from prod."""

    @property
    def millions(self) -> str:
        """The payments, as a heading says them."""
        return f"{self.payments / 1e6:,.0f} M"


def page(root: Path = ROOT) -> str:
    """Write docs/cost.md.

    Parameters
    ----------
    root : Path
        The repository.
    """
    usage = msgspec.yaml.decode((root / "docs/cost/usage.yaml").read_bytes())
    prices = Prices(msgspec.yaml.decode((root / "docs/cost/prices.yaml").read_bytes()))
    environments = [
        Volume(name, payments, bill(payments, sizing_of(name, root), usage, prices))
        for name, payments in usage["environments"].items()
    ]
    volumes = _volumes_of_prod(usage, prices, root)
    sections = [
        _head(prices),
        "## By environment",
        _table([f"{each.name} ({each.millions} payments)" for each in environments], environments),
        "\n".join(_summary(each.name, each) for each in environments),
        f"A million labels cost {1e6 * label_usd(usage, prices):,.2f} dollars until all of their effects are set; their rows are kept for years.",
        _training(usage, prices),
        _console(usage, prices),
        _rollout(usage, prices),
        "## By volume, as prod",
        _table([f"{each.millions} payments" for each in volumes], volumes),
        "\n".join(_summary(each.millions, each) for each in volumes),
        "Changed from `prod.tfvars`:",
        "\n".join(f"- {each.millions}: {_changes(each)}." for each in volumes),
        _advice(usage, prices, root),
        _certainty(prices),
    ]
    return "\n\n".join(sections) + "\n"


def _training(usage: dict[str, Any], prices: Prices) -> str:
    usd = training_usd(usage["environments"]["prod"], usage, prices)
    what = "the tables' exports, and the job"
    return f"A training in AWS (`make train ENV=`, off by default) costs {usd:,.2f} dollars with the rows of prod: {what}."


def _console(usage: dict[str, Any], prices: Prices) -> str:
    people = usage["console"]["people"]["value"]
    usd, private_usd = (console_usd(people, zones, usage, prices) for zones in (0, 3))
    return (
        f"A console (`console`, off by default) costs {usd:,.2f} dollars a month for {people} people, {private_usd:,.2f} with an interface endpoint "
        "of its own in three zones."
    )


def _rollout(usage: dict[str, Any], prices: Prices) -> str:
    processes = usage["rollout"]["processes"]["value"]
    return (
        f"A ruleset with a candidate, a `max_share` or a model (the default rules have none) costs up to {rollout_usd(usage, prices):,.2f} dollars a month "
        f"with {processes} processes of `score`: what both sides say is counted in `rollout_counts`."
    )


def _volumes_of_prod(usage: dict[str, Any], prices: Prices, root: Path) -> list[Volume]:
    prod = sizing_of("prod", root)
    volumes = []
    for entry in usage["volumes"]:
        size = msgspec.structs.replace(prod, **entry["changed"])
        lines = bill(entry["payments"], size, usage, prices)
        volumes.append(Volume("prod", entry["payments"], lines, entry["changed"]))
    return volumes


def _head(prices: Prices) -> str:
    return f"""# What it costs

Made by `make infra-docs` from the environments' variables files, `docs/cost/usage.yaml`, and AWS's list prices of {prices.read_on}
in `docs/cost/prices.yaml` (us-east-1, on demand). It is an estimate, good enough to decide what to change but not for a contract. Free
tiers, discounts, support, taxes, and the metrics that Glue writes on its own are left out. Payments are spread evenly over the month.
Tables are on demand unless `provisioned_history` says otherwise; what was decided about the history's cost is in
[0020](decisions/0020-cost.md). Protection is the audit, the malware scan and the copies in AWS Backup, each by a variable."""


def _table(columns: list[str], volumes: list[Volume]) -> str:
    rows = [f"| | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    for lines in zip(*(volume.lines for volume in volumes), strict=True):
        texts = list(dict.fromkeys(line.what for line in lines))
        what = texts[0] if len(texts) == 1 else lines[0].what.split(",")[0].split(" of ")[0].split(" in ")[0]
        rows.append(f"| {lines[0].part}: {what} | {' | '.join(f'{line.usd:,.0f}' for line in lines)} |")
    totals = " | ".join(f"**{total(volume.lines):,.0f}**" for volume in volumes)
    system = " | ".join(f"{without_protection(volume.lines):,.0f}" for volume in volumes)
    return "\n".join(
        [*rows, f"| **a month, US dollars** | {totals} |", f"| of it without protection | {system} |"]
    )


def _summary(name: str, volume: Volume) -> str:
    lines, usd = volume.lines, total(volume.lines)
    parts = "; ".join(f"{line.part} ({line.what}), {line.usd / usd:.0%}" for line in dominating(lines))
    fixed = sum(line.usd for line in lines if not line.grows) / usd
    return (
        f"- **{name}**: {parts}. {fixed:.0%} is fixed cost; a million payments cost "
        f"{usd / volume.payments * 1e6:,.2f} dollars in all."
    )


def _changes(volume: Volume) -> str:
    return ", ".join(f"`{key}` {value}" for key, value in volume.changed.items()) or "nothing"


def _advice(usage: dict[str, Any], prices: Prices, root: Path) -> str:
    return f"""## What to change first

- At a small volume, the fixed cost: `enable_always_on = false` where nobody pays at night, fewer workers, and `endpoint_zone_count = 1`
  where a lost zone may stop everything. MSK Serverless is no way to save here: {_serverless(usage, prices, root)}.
- At a large volume, the history: its days in the table, its table class, and `provisioned_tables`, because a steady load uses most of
  what is provisioned. Standard-IA has no reserved capacity.
- Without the index by transaction id (`enable_transaction_index = false`) a payment takes one write instead of two. Then every label must name
  its payment by `user_id` and `timestamp`, or by `event_key`, as alerts and the flagged rows give it; a chargeback often cannot.
- At any volume: reserved nodes for the cache and a compute savings plan for Lambda, once the load is known.

The cache's node goes by users and their entities, not by payments: [environments](environments.md) says how many a node holds."""


def _serverless(usage: dict[str, Any], prices: Prices, root: Path) -> str:
    """Brokers against MSK Serverless, for each environment."""
    parts = []
    for name, payments in usage["environments"].items():
        size = sizing_of(name, root)
        lines = bill(payments, size, usage, prices)
        brokers_usd = sum(line.usd for line in lines if line.part == "streaming")
        serverless = serverless_usd(payments, size, usage, prices)
        parts.append(f"{serverless:,.0f} dollars a month instead of {brokers_usd:,.0f} in {name}")
    return ", ".join(parts)


def _certainty(prices: Prices) -> str:
    return f"""## How certain the prices are

Not found in a published text when the prices were written down. Look these up at their source before you sign anything:
{", ".join(f"`{name}`" for name in prices.unconfirmed())}."""


if __name__ == "__main__":
    sys.stdout.write(page())
