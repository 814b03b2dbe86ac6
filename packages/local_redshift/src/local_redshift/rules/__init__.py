"""Everything that the stand-in refuses because Redshift would: one table of rules.

`docs/redshift_rules.md` of the distribution is made from it (`make rules`), and so are the tests.
"""

from __future__ import annotations

from local_redshift.rules import changes, definitions, functions, names, queries, statements, subqueries, windows
from local_redshift.rules.reading import Statement
from local_redshift.rules.rule import Glance, Refusal, Rule, Situation, refusal
from local_redshift.rules.statements import several_statements
from local_redshift.translation.tokens import split, tokenize

__all__ = ["RULES", "Refusal", "Rule", "Situation", "refusals"]

MODULES = (statements, queries, windows, subqueries, changes, definitions, names, functions)
RULES: tuple[Rule, ...] = tuple(each for module in MODULES for each in vars(module).values() if isinstance(each, Rule))


def refusals(text: str, *, glances: bool = True) -> tuple[Refusal, ...]:
    """Give what Redshift refuses in a text of one or several statements.

    Args:
        text: the statements.
        glances: leave out the rules that a cheap look at the text rules out.

    >>> [refusal.rule.name for refusal in refusals("SELECT a FROM t WHERE a IS DISTINCT FROM 1")]
    ['is-distinct-from']
    """
    tokens = tokenize(text) if "--" in text or "/*" in text else None
    glance = Glance.of(text, tokens)
    candidates = [each for each in RULES if not glances or each.may_match(glance)]
    if not candidates:
        return ()
    tokens = tokens or tokenize(text)
    whole = Statement(tokens)
    parts = [part for part in map(Statement, split(tokens, ";")) if part.words] if ";" in whole.places else [whole]
    opened = _opened(parts)
    found = []
    for each in candidates:
        for number, part in enumerate([whole] if each is several_statements else parts):
            at = _find(each, part)
            if at is None or (each.situation is Situation.IN_A_TRANSACTION and opened[number] is False):
                continue
            refused = refusal(each, part, at)
            within = each.situation is Situation.IN_A_TRANSACTION and opened[number]
            found.append(refused._replace(situation=Situation.ALWAYS) if within else refused)
    return tuple(found)


def _opened(parts: list[Statement]) -> list[bool | None]:
    """Whether each part is in a transaction by what the parts before it say; None if they say nothing."""
    opened: list[bool | None] = [None]
    for part in parts:
        ends = part.word(0) in ("abort", "commit", "end", "rollback")
        begins = part.word(0) in ("begin", "start")
        opened.append(begins if begins or ends else opened[-1])
    return opened


def _find(rule: Rule, statement: Statement) -> int | None:
    try:
        return rule.finds(statement)
    except IndexError:
        # Not what the rules expect, so no valid statement either: PostgreSQL says what is wrong.
        return None
