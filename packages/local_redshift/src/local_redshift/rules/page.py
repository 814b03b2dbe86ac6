"""The page of the documentation that lists the rules."""

from __future__ import annotations

import re
from itertools import groupby

from local_redshift.rules import RULES, Rule, Situation

INTRODUCTION = """\
<!-- Written by `make rules` from the rules themselves; do not edit. -->
# What the stand-in refuses because Redshift would

PostgreSQL accepts much that Redshift does not. Each statement that reaches the [stand-in](local_redshift.md) is
held against the rules below before PostgreSQL sees it; one that breaks a rule fails as on Redshift, with
Redshift's message where it is known, the rule's name in the error's detail and the nearest form that Redshift
accepts in its hint. The examples are tests: each is sent through the driver.

No Redshift was at hand when the rules were written. Their evidence is AWS's documentation and what people report
of their clusters; where it is silent or contradicts itself, the rule refuses. Bodies of procedures and functions
are not read.

One documented limit is no rule: a WITH clause inside another's query. AWS says that there can be none
(DG/r_WITH_clause); but dbt writes it for each ephemeral model that has a WITH clause of its own, and packages that
are tested on Redshift, such as fivetran/dbt_jira, are made of these.

`python -m local_redshift --lenient` accepts all of it. What has no rule because the database itself does as
Redshift does, such as strings that are too long for their column, is in [local_redshift.md](local_redshift.md).
"""
TITLES = {
    "statements": "Statements and transactions",
    "queries": "Queries",
    "windows": "Window functions and ordered aggregates",
    "subqueries": "WITH clauses and subqueries",
    "changes": "INSERT, UPDATE, DELETE and MERGE",
    "definitions": "Definitions and types",
    "names": "Names",
    "functions": "Functions",
}
SITUATIONS = {
    Situation.ALWAYS: "",
    Situation.IN_A_TRANSACTION: " Only in a transaction.",
    Situation.PREPARED: " Only in the extended protocol, which the driver speaks.",
}
GUIDE = re.compile(r"DG/([\w-]+)")
PLACE = re.compile(r"\{\w+\}")
LONG = re.compile(r"x{20,}")


def page() -> str:
    """The page as Markdown."""
    parts = [_linked(INTRODUCTION)]
    for module, rules in groupby(RULES, lambda rule: rule.finds.__module__.rpartition(".")[2]):
        parts += [f"\n## {TITLES[module]}\n", *map(_section, rules)]
    return "".join(parts)


def _section(rule: Rule) -> str:
    message = PLACE.sub("…", rule.message)
    quoted = f"`{message}` ({_linked(rule.wording)})" if rule.wording else f"`{message}` (our words)"
    return (
        f"\n### {rule.name}\n\n{rule.refuses}{SITUATIONS[rule.situation]}\n\n"
        f"- Refused: `{_short(rule.refused)}`\n"
        f"- Accepted: `{_short(rule.accepted)}`\n"
        f"- Message: {quoted}, SQLSTATE {rule.sqlstate}\n"
        f"- Evidence: {_linked(rule.evidence)}\n"
    )


def _linked(evidence: str) -> str:
    return GUIDE.sub(r"[\1](https://docs.aws.amazon.com/redshift/latest/dg/\1.html)", evidence)


def _short(example: str) -> str:
    return LONG.sub(lambda found: f"{found[0][:3]}…{len(found[0])} times", example)
