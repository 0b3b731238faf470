"""The lookups on moto."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.case_lookup_contract import CaseLookupContract, LookupTables
from tests.support.moto_aws import OneAtATime, aws
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]


class TestOnMoto(CaseLookupContract):
    @pytest.fixture
    def tables(self, aws: Callable[[str], Any]) -> LookupTables:
        client = aws("dynamodb")
        return LookupTables(OneAtATime(client), make_table(client, "cases"), make_table(client, "case_links"))
