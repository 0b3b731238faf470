"""The digest stage's table on AWS's own DynamoDB Local and on MiniStack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.digest_store_contract import DueDigestsContract, Table

if TYPE_CHECKING:
    from collections.abc import Callable


class TestOnDynamoDbLocal(DueDigestsContract):
    @pytest.fixture
    def table(self, dynamodb_local: Any, unique_name: Callable[[str], str]) -> Table:
        return Table(dynamodb_local, unique_name)


class TestOnMiniStack(DueDigestsContract):
    @pytest.fixture
    def table(self, aws_client: Callable[[str], Any], unique_name: Callable[[str], str]) -> Table:
        return Table(aws_client("dynamodb"), unique_name)
