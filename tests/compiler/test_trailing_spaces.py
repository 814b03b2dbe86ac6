from __future__ import annotations

import pytest
import sqlglot

from surgical_cdc.compiler.trailing_spaces import sees_trailing_spaces


@pytest.mark.parametrize(
    "predicate",
    [
        pytest.param("t.name = o.note", id="equality"),
        pytest.param("LOWER(t.name) = COALESCE(o.note, '') AND NOT t.name IN ('a', 'b')", id="blind functions"),
        pytest.param("CASE WHEN t.name > 'a' THEN LENGTH(o.note) END = 1", id="only compared"),
        pytest.param("LENGTH(RTRIM(t.name)) = o.kind", id="without blanks"),
        pytest.param("LENGTH(o.note) = 1 AND t.name = 'a'", id="of another relation"),
    ],
)
def test_equal_texts_make_no_difference(predicate: str) -> None:
    """Redshift takes texts that differ in trailing blanks alone for equal."""
    assert not sees_trailing_spaces(sqlglot.parse_one(predicate, read="redshift"), "t")


@pytest.mark.parametrize(
    "predicate",
    [
        pytest.param("LENGTH(t.name) = o.kind", id="length"),
        pytest.param("o.note LIKE '%' || t.name", id="pattern"),
        pytest.param("t.name LIKE 'a'", id="matched"),
        pytest.param("t.name || 'x' = o.note", id="something behind it"),
        pytest.param("LENGTH(LTRIM(t.name)) = o.kind", id="trimmed at the beginning"),
        pytest.param("LENGTH(RTRIM(t.name, 'x')) = o.kind", id="trimmed of other characters"),
        pytest.param("MD5(LOWER(t.name)) = o.note", id="inside a blind function"),
    ],
)
def test_trailing_blanks_make_a_difference(predicate: str) -> None:
    """LENGTH, LIKE and || see them, and so may any function of which it is not known."""
    assert sees_trailing_spaces(sqlglot.parse_one(predicate, read="redshift"), "t")
