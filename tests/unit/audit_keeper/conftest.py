"""Fixtures of the tests of the keeper of audit heads."""

from __future__ import annotations

from tests.support.moto_aws import aws

__all__ = ["aws"]
