"""Everything that the stand-in refuses because Redshift would: one table of rules.

`docs/redshift_rules.md` is made from it (`make rules`), and so are the tests.
"""

from __future__ import annotations

import re

from local_redshift.rules import changes, definitions, functions, names, queries, statements, subqueries, windows
from local_redshift.rules.reading import Statement
from local_redshift.rules.rule import Glance, Refusal, Rule, Situation, refusal
from local_redshift.rules.statements import several_statements
from local_redshift.tokens import split, tokenize

__all__ = ["RULES", "Refusal", "Rule", "Situation", "refusals"]

MODULES = (statements, queries, windows, subqueries, changes, definitions, names, functions)
RULES: tuple[Rule, ...] = tuple(each for module in MODULES for each in vars(module).values() if isinstance(each, Rule))
WORD = re.compile(r"[a-z_][a-z_0-9]*")


def refusals(text: str, *, glances: bool = True) -> tuple[Refusal, ...]:
    """Give what Redshift refuses in a text of one or several statements.

    Args:
        text: the statements.
        glances: leave out the rules that a cheap look at the text rules out.

    >>> [refusal.rule.name for refusal in refusals("SELECT a FROM t WHERE a IS DISTINCT FROM 1")]
    ['is-distinct-from']
    """
    lower = text.lower()
    glance = Glance(text, lower, frozenset(WORD.findall(lower)))
    candidates = [each for each in RULES if not glances or each.may_match(glance)]
    if not candidates:
        return ()
    tokens = tokenize(text)
    whole = Statement(tokens)
    parts = [part for part in map(Statement, split(tokens, ";")) if part.words] if ";" in whole.places else [whole]
    read = ((each, part) for each in candidates for part in ([whole] if each is several_statements else parts))
    return tuple(refusal(each, part, at) for each, part in read if (at := _find(each, part)) is not None)


def _find(rule: Rule, statement: Statement) -> int | None:
    try:
        return rule.finds(statement)
    except IndexError:
        # Not what the rules expect, so no valid statement either: PostgreSQL says what is wrong.
        return None
