"""What a file is by its name: CSV or JSON, packed or not. That it is packed is seen in its content."""

from __future__ import annotations

from typing import Final

CSV_SUFFIXES: Final = (".csv", ".tsv")
PACKED_SUFFIXES: Final = (".gz", ".bz2", ".zip")
"""Endings of packed files' names, in any case."""


def plain_name(file: str) -> str:
    """Write a file's name in lower case, without the endings of packed files.

    >>> plain_name("s3://landing/a.CSV.GZ")
    's3://landing/a.csv'
    """
    name = file.lower()
    for suffix in PACKED_SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def is_csv(file: str) -> bool:
    """Whether a file is CSV, by its name; every other file is read as JSON.

    >>> is_csv("s3://landing/a.CSV.GZ"), is_csv("s3://landing/a.jsonl")
    (True, False)
    """
    return plain_name(file).endswith(CSV_SUFFIXES)
