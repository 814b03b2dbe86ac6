from __future__ import annotations

from pathlib import Path

import pytest

from local_redshift.rules import functions
from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.redshift_functions import BUILT_IN
from surgical_cdc.errors import UnsupportedQuery
from tests.random.one_model import REBUILT, one_model

OF_THE_RUN = frozenset({"any_value", "current_date", "getdate", "random", "sysdate", "timeofday"})
# What the stand-in takes and AWS's reference has under another name, or not at all.
OTHER_NAMES = frozenset({"date_add", "date_diff", "pgdate_part"})
# Refused where models are parsed, with what to write in its place.
REFUSED = frozenset({"add_months"})


def test_functions_of_redshift_are_known_to_engine_and_stand_in() -> None:
    """Two lists, made apart, agree on what Redshift has that depends on nothing but its arguments."""
    documented = functions.REDSHIFT - functions.SYSTEM - functions.GROUPING - OF_THE_RUN - OTHER_NAMES - REFUSED
    assert documented <= BUILT_IN
    further = {name for name in BUILT_IN - documented if not name.startswith(functions.FAMILIES)}
    assert further == {"addbbox", "dropbbox", "exists", "geometrytype", "get_number_attributes"} | {
        *("substr", "supportsbbox")
    }


@pytest.mark.parametrize(
    "call",
    [
        *("LEN(c.name)", "NVL(c.city_id, 0)", "DECODE(c.status, 1, 2, 3)", "STRTOL(c.name, 16)", "CHECKSUM(c.name)"),
        *("MONTHS_BETWEEN(c.joined, c.joined)", "DATE_PART(year, c.joined)", "CONVERT(BIGINT, c.name)", "SHA1(c.name)"),
        *("JSON_ARRAY_LENGTH(c.name)", "ST_DistanceSphere(ST_Point(c.id, 1), ST_Point(1, 1))", "POW(c.id, 2)"),
        *("RATIO_TO_REPORT(c.id) OVER (PARTITION BY c.city_id)", "BPCHARCMP(c.name, 'a')", "CHARINDEX('a', c.name, 2)"),
        *("TRIM(BOTH 'a' FROM c.name)", "EXTRACT(day FROM c.joined)", "CASE WHEN EXISTS(SELECT 1) THEN 1 END"),
    ],
)
def test_function_of_redshift_is_accepted(tmp_path: Path, call: str) -> None:
    """What the parser writes in another way counts by what is sent."""
    sql = f"SELECT c.id, {call} AS n FROM live.customers c"  # noqa: S608
    compile_fact(one_model(tmp_path, sql, "id n", config=REBUILT), "fact")


@pytest.mark.parametrize(
    "call",
    [
        *("f_score(c.name)", "tools.f_score(c.name)", "dev.tools.f_score(c.name)", '"F score"(c.name)'),
        *("LEVENSHTEIN(c.name, 'a')", "pg_catalog.upper(c.name)", "SUM(f_score(c.id)) OVER (PARTITION BY c.id)"),
    ],
)
def test_function_of_a_user_is_refused(tmp_path: Path, call: str) -> None:
    """Nothing is known of it, even where the parser knows the name from another database."""
    with pytest.raises(UnsupportedQuery, match=r"fact\.sql, line 3: .* calls no function of Redshift's own"):
        one_model(tmp_path, f"SELECT c.id,\n{call} AS n FROM live.customers c", "id n")  # noqa: S608
