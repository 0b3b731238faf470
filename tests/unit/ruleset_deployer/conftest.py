"""Fixtures of the tests of the deployer."""

from __future__ import annotations

from tests.support.moto_aws import aws

__all__ = ["aws"]
