"""Fixtures of the alert stage's tests."""

from tests.unit.aws import aws

__all__ = ["aws"]
