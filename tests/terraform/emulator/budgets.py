"""AWS Budgets: subscribers of a notification, and tags; moto has budgets and notifications alone."""

from __future__ import annotations

import json
from typing import Any

from moto.budgets.responses import BudgetsResponse

tags: dict[str, list[dict[str, str]]] = {}
"""By name of the budget."""


def describe_subscribers_for_notification(self: BudgetsResponse) -> str:
    """Show who is notified."""
    account, name = self._get_param("AccountId"), self._get_param("BudgetName")
    wanted = self._get_param("Notification")
    budget = self.backend.budgets[account][name]
    found = next(
        note
        for note in budget.notifications
        if all(note.details.get(key) == value for key, value in wanted.items())
    )
    return json.dumps({"Subscribers": found.subscribers})


def list_tags_for_resource(self: BudgetsResponse) -> str:
    """Show the tags of a budget."""
    return json.dumps({"ResourceTags": tags.get(self._get_param("ResourceARN").rpartition("/")[2], [])})


def install() -> None:
    """Serve both calls, and keep the tags of a new budget."""
    create = BudgetsResponse.create_budget

    def create_budget(self: BudgetsResponse) -> Any:
        answer = create(self)
        tags[self._get_param("Budget")["BudgetName"]] = self._get_param("ResourceTags") or []
        return answer

    BudgetsResponse.create_budget = create_budget  # type: ignore[method-assign]
    for call in (describe_subscribers_for_notification, list_tags_for_resource):
        setattr(BudgetsResponse, call.__name__, call)
