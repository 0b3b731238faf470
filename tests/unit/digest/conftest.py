"""Fixtures of the digest stage's tests."""

from __future__ import annotations

from tests.support.moto_aws import aws

__all__ = ["aws"]
