"""What a rule is, and what a statement that it refuses is answered."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from local_redshift.rules.reading import Statement
from local_redshift.translation.tokens import Token

# As Redshift writes it since 2026; the place is what is missing in older releases.
SYNTAX_ERROR = 'syntax error at or near "{near}" in context "{context}", at line {line}, column {column}'
CONTEXT_TOKENS = 3

WORD = re.compile(r"[a-z_][a-z_0-9]*")
Finds = Callable[[Statement], int | None]


class Glance(NamedTuple):
    """What is cheap to know of a text before it is read as tokens."""

    text: str
    """Without its comments: a pattern that had to pass over them would pass over all of them for each word."""
    lower: str
    words: frozenset[str]

    @classmethod
    def of(cls, text: str, tokens: list[Token] | None = None) -> Glance:
        """Look at a text; the tokens are needed only where there may be a comment."""
        if tokens is not None:
            text = "".join(f" {token.text}" if token.space else token.text for token in tokens)
        lower = text.lower()
        return cls(text, lower, frozenset(WORD.findall(lower)))


class Situation(Enum):
    """When a rule holds that does not always hold."""

    ALWAYS = "always"
    IN_A_TRANSACTION = "in a transaction"
    PREPARED = "in the extended protocol"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Something that Redshift refuses and PostgreSQL would accept."""

    name: str
    refuses: str
    """What it matches, as a sentence."""
    finds: Finds
    """Gives the position of the token at fault, if any."""
    words: frozenset[str]
    """A statement that has none of these words has nothing for this rule; empty: any may have."""
    glance: Callable[[Glance], bool]
    """Neither has one of which this is not true."""
    message: str
    wording: str
    """Where Redshift's message is quoted; empty when the message is ours."""
    sqlstate: str
    evidence: str
    situation: Situation
    refused: str
    accepted: str

    def may_match(self, glance: Glance) -> bool:
        """Whether it is worth reading a text; literals count as what they contain."""
        return not (self.words and self.words.isdisjoint(glance.words)) and self.glance(glance)


class Refusal(NamedTuple):
    """A rule that refuses a statement, and Redshift's message for it."""

    rule: Rule
    message: str
    situation: Situation
    """In which the statement is refused: the rule's, unless the statements before it in the text say more."""


def rule(
    words: str = "",
    *,
    pattern: str = "",
    glance: Callable[[Glance], bool] | None = None,
    message: str = SYNTAX_ERROR,
    wording: str = "",
    sqlstate: str = "42601",
    evidence: str,
    situation: Situation = Situation.ALWAYS,
    refused: str,
    accepted: str,
) -> Callable[[Finds], Rule]:
    """Make a rule of the function that finds it: the name is the function's, the description its docstring.

    `words`, `pattern` (in the text in lower case) and `glance` keep it from the statements that it can not match.
    """
    compiled = re.compile(pattern, re.DOTALL)

    def occurs(glance: Glance) -> bool:
        return not pattern or compiled.search(glance.lower) is not None

    def make(finds: Finds) -> Rule:
        return Rule(
            name=finds.__name__.replace("_", "-"),
            refuses=" ".join((finds.__doc__ or "").split()),
            finds=finds,
            words=frozenset(words.split()),
            glance=glance or occurs,
            message=message,
            wording=wording or (SYNTAX_WORDING if message == SYNTAX_ERROR else ""),
            sqlstate=sqlstate,
            evidence=evidence,
            situation=situation,
            refused=refused,
            accepted=accepted,
        )

    return make


SYNTAX_WORDING = "sqlalchemy-redshift#330"


def refusal(rule: Rule, statement: Statement, at: int) -> Refusal:
    """Compose Redshift's message for the token at fault."""
    tokens = statement.tokens[: at + 1]
    before = tokens[-1 - CONTEXT_TOKENS :]
    context = "".join(token.space + token.text for token in before).strip()
    start = "".join(token.space + token.text for token in tokens[:-1]) + tokens[-1].space
    message = rule.message.format(
        near=tokens[-1].text,
        context=" ".join(context.split()),
        line=start.count("\n") + 1,
        column=len(start) - start.rfind("\n"),
        rest="".join(token.space + token.text for token in statement.tokens[at:]).strip(),
        statement=statement.text,
    )
    return Refusal(rule, message, rule.situation)
