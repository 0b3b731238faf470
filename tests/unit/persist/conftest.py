"""Fixtures of the persist stage's tests."""

from tests.unit.aws import aws

__all__ = ["aws"]
