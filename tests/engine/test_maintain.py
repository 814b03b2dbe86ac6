from __future__ import annotations

import sqlglot
from sqlglot import exp

from surgical_cdc.contract import Column, Source
from surgical_cdc.maintain import SourceChange, overlaid_query


def test_overlay_keeps_a_source_apart_from_its_change_set() -> None:
    """A source may be called as the change set is inside the overlay: its keys are still compared with those there."""
    columns = (Column(name="id", data_type="bigint"), Column(name="updated_at", data_type="timestamp"))
    source = Source(
        name="changed",
        relation="live.changed",
        columns=columns,
        staging="staging.changed",
        key="id",
        cursor="updated_at",
    )
    query = sqlglot.parse_one("SELECT changed.id AS id FROM live.changed AS changed", read="redshift", into=exp.Select)
    overlaid = overlaid_query(query, {source.relation: source}, {"changed": SourceChange("scratch.changed", None)})
    (same_key,) = overlaid.find_all(exp.EQ)
    assert isinstance(same_key.left, exp.Column)
    assert isinstance(same_key.right, exp.Column)
    assert {same_key.left.table, same_key.right.table} == {"changed", "whole"}
