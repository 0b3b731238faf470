"""Variables files and the page that is made of them."""

from __future__ import annotations

import pytest

from ops.environment import ROOT
from ops.environments_page import page
from ops.errors import OpsError
from ops.tfvars import flatten, read_tfvars

TEXT = """
# a heading
name  = "with \\"quotes\\" and # no comment"
count = 3 # because
ratio = 0.5
flag  = false
zones = ["a", "b",
  "c",
]
cache = {
  node_type = "small" # 0.5 GiB
  replicas  = { minimum = 1, maximum = 2 }
}
none = null
"""


def test_literals_become_python_values() -> None:
    values, _ = read_tfvars(TEXT)

    assert values == {
        "name": 'with "quotes" and # no comment',
        "count": 3,
        "ratio": 0.5,
        "flag": False,
        "zones": ["a", "b", "c"],
        "cache": {"node_type": "small", "replicas": {"minimum": 1, "maximum": 2}},
        "none": None,
    }


def test_a_comment_belongs_to_the_setting_before_it() -> None:
    _, comments = read_tfvars(TEXT)

    assert comments == {"count": "because", "cache.node_type": "0.5 GiB"}


def test_settings_are_named_by_their_path() -> None:
    assert flatten({"a": {"b": {"c": 1}, "d": [2]}, "e": {}}) == {"a.b.c": 1, "a.d": [2], "e": {}}


@pytest.mark.parametrize(
    "text",
    [
        "a = var.b\n",
        'a = "x${b}"\n',
        'a = "$${b}"\n',
        "a = b ? 1 : 2\n",
        "a = f(1)\n",
        "a = 1 + 2\n",
        "a = -true\n",
        "a = [b]\n",
        "a = { (b) = 1 }\n",
        "a = [for b in [1] : b]\n",
        "a = <<E\nb\nE\n",
        "a {\n  b = 1\n}\n",
    ],
)
def test_an_expression_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(OpsError, match=r"^dev.tfvars:2: only literal values are read, not "):
        read_tfvars("x = 1\n" + text, "dev.tfvars")


def test_a_file_that_ends_too_early_is_refused() -> None:
    with pytest.raises(OpsError, match=r"^variables:3: the file ends too early"):
        read_tfvars("a = {\n b = 1\n")


@pytest.mark.parametrize(
    ("text", "found"), [("b ? 2\n", r"'\?'"), ("b =\n", "the end of the line"), ("b = 'c'\n", "\"'c'\"")]
)
def test_what_is_not_hcl_is_refused_with_its_line(text: str, found: str) -> None:
    with pytest.raises(OpsError, match=f"^dev.tfvars:2: {found} is not expected here"):
        read_tfvars("a = 1\n" + text, "dev.tfvars")


def test_numbers_keys_and_escapes_are_hcls() -> None:
    values, _ = read_tfvars('a = -1\nb = -1.5\nc = { "d-e" = "\\u00e9\\n", f : [{}, ""] }\n')

    assert values == {"a": -1, "b": -1.5, "c": {"d-e": "é\n", "f": [{}, ""]}}


def test_a_comment_belongs_to_the_last_setting_of_its_line_and_to_no_other_of_that_name() -> None:
    _, comments = read_tfvars("a = { b = 1, c = 2 } # of c\nd = {\n  c = 3\n} # of none\n")

    assert comments == {"a.c": "of c"}


def test_the_page_of_environments_is_what_their_files_say() -> None:
    assert (ROOT / "docs/environments.md").read_text() == page(), "run `make infra-docs`"


def test_the_differences_of_environments_fit_a_short_table() -> None:
    differing = page().split("## What differs")[1].split("## What is the same")[0]

    assert differing.count("\n| `") <= 26
