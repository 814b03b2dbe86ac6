"""What the columns of a FROM clause decide: names that a select list uses again, and EXCLUDE.

Redshift puts the expression in place of a name that the same select list has given before, unless the FROM clause
has a column of this name (DG/r_SELECT_list). It does so in WHERE as well: dbt-utils' own macro for Redshift,
get_tables_by_pattern_sql, needs it, and is tested there. Only the database knows the columns, temporary tables and
those of this transaction included, so a statement that needs them is resolved in questions to the session's own server.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import lru_cache

from local_redshift.rules.reading import VERBS, Statement, words
from local_redshift.rules.refusing import of_any_run
from local_redshift.translation.expressions import FUNCTIONS_OF_DATE_PARTS
from local_redshift.translation.selects import Select, selects
from local_redshift.translation.statements import translate
from local_redshift.translation.tokens import literal, split, tokenize

# Asks for the names of the columns of a FROM clause; None is the answer when the server finds none.
Resolving = Generator[bytes, list[str] | None, bytes]
Asking = Generator[bytes, list[str] | None, None]

# The last word of an expression that is none of its names.
NO_ALIAS = words("end null true false unknown precision zone varying day hour minute month second year isnull notnull")
BEFORE_OPERAND = words(
    "( , = < > ! + - * / % | ^ & ~ # and or not when then else case between like ilike by distinct in to escape from "
    "for"
)
NAME = rb"[a-z_\x80-\xff][\w$\x80-\xff]*+"
# What a name is given by: AS, or its place behind an expression, with no more of the column to follow.
GIVEN = re.compile(rb'\bas\s+"?(' + NAME + rb')|[\w)\'"\x80-\xff]\s+"?(' + NAME + rb')"?\s*(?=,|from\b)')
USED = re.compile(rb'(?<![\w.$\x80-\xff])"?(' + NAME + rb')(?!"?\s*[.(])')
COMMENTS = (b"--", b"/*")
REMEMBERED = 4096
LONGEST = 100_000


def may_need_columns(statement: bytes) -> bool:
    """Whether the columns of a FROM clause may change what a statement means. What is found is remembered."""
    return len(statement) <= LONGEST and _remembered(of_any_run(statement))


def _glance(statement: bytes) -> bool:
    """Whether it is worth reading a statement: it may be of a hundred columns, none of which is used again."""
    lower = statement.lower()
    if b"select" not in lower:
        return False
    if b"exclude" in lower or any(comment in lower for comment in COMMENTS):
        return True
    given = {name for names in GIVEN.findall(lower) for name in names if name}
    used = Counter(USED.findall(lower))
    return any(used[name] > 1 for name in given)


@lru_cache(REMEMBERED)
def _remembered(statement: bytes) -> bool:
    if not _glance(statement):
        return False
    try:
        parts = split(tokenize(statement.decode(errors="surrogateescape")), ";")
        return any(_Columns(Statement(part)).needed for part in parts)
    except (IndexError, ValueError, RecursionError):
        return False  # no valid statement: PostgreSQL says what is wrong


def resolving(statement: bytes) -> Resolving:
    """Give the statement without what depends on columns, and ask for them: each question is a statement.

    >>> steps = resolving(b"SELECT a + 1 AS b, b * 2 AS c FROM t")
    >>> next(steps)
    b"SELECT local_redshift.columns_of('SELECT * FROM t')"
    >>> try:
    ...     steps.send(["a"])
    ... except StopIteration as resolved:
    ...     resolved.value
    b'SELECT a + 1 AS b, (a + 1) * 2 AS c FROM t'
    """
    written = []
    for part in split(tokenize(statement.decode(errors="surrogateescape")), ";"):
        columns = _Columns(Statement(part))
        yield from columns.resolve()
        written.append(columns.write(0, len(columns.statement.tokens)) + part[-1].space * (part[-1].kind == "end"))
    return ";".join(written).encode(errors="surrogateescape")


@dataclass
class _Columns:
    """One statement, and what is written in place of its tokens."""

    statement: Statement
    edits: dict[int, str] = field(default_factory=dict)

    @property
    def needed(self) -> bool:
        """Whether any SELECT uses a name again or excludes columns."""
        if "select" not in self.statement.words:
            return False
        return any(self._uses(each) or each.items_end < each.exclude_end for each in selects(self.statement))

    def resolve(self) -> Asking:
        """Find what to write, first for the queries that others read."""
        for select in selects(self.statement) if self.needed else ():
            if select.items_end < select.exclude_end:
                yield from self._exclude(select)
            if uses := self._uses(select):
                yield from self._use(select, uses)

    def write(self, start: int, end: int) -> str:
        """The text of a range, as far as it is resolved."""
        tokens = self.statement.tokens
        return "".join(tokens[at].space + self.edits.get(at, tokens[at].text) for at in range(start, end))

    def _items(self, select: Select) -> list[tuple[int, int]]:
        return list(self.statement.split(select.items, select.items_end))

    def _uses(self, select: Select) -> dict[int, tuple[int, int]]:
        """The positions at which a select list uses a name that it has given before, and the expressions.

        A condition may use all of its names.
        """
        given: dict[str, tuple[int, int]] = {}
        uses: dict[int, tuple[int, int]] = {}
        for start, end in self._items(select):
            alias = self._alias(start, end)
            uses |= self._uses_within(select, start, end if alias is None else alias, given)
            if alias is not None:
                given[self.statement.name(alias)] = (start, alias - (self.statement.words[alias - 1] == "as"))
        return uses | self._uses_within(select, select.where + 1, select.where_end, given)

    def _uses_within(
        self, select: Select, start: int, end: int, given: dict[str, tuple[int, int]]
    ) -> dict[int, tuple[int, int]]:
        """The positions in a range at which one of these names is a column, but in subqueries."""
        return {
            at: given[self.statement.name(at)]
            for at in (range(start, end) if given else ())
            if self.statement.is_name(at)
            and self.statement.name(at) in given
            and self.statement.query(at) is select.query
            and self._is_column(at, start, end)
        }

    def _alias(self, start: int, end: int) -> int | None:
        """The position of the name that a column of the select list is given; of a plain column there is none."""
        last = end - 1
        if last <= start or not self.statement.is_name(last):
            return None
        before = self.statement.words[last - 1]
        if before == "as":
            return last
        if self.statement.words[last] in NO_ALIAS:
            return None
        is_sign = self.statement.tokens[last - 1].kind == "sign" and before != ")"
        return None if is_sign or before in BEFORE_OPERAND else last

    def _is_column(self, at: int, start: int, end: int) -> bool:
        """Whether a name in an expression is a column without a table, and no function, type or date part."""
        before = self.statement.words[at - 1]
        if at > start and before not in BEFORE_OPERAND:
            return False
        if at + 1 >= end:
            return True
        after = self.statement.words[at + 1]
        of_date_parts = self.statement.word(at - 2) in FUNCTIONS_OF_DATE_PARTS and before == "("
        is_part = of_date_parts and after in (",", "from")
        return after not in ("(", ".") and self.statement.tokens[at + 1].kind != "literal" and not is_part

    def _use(self, select: Select, uses: dict[int, tuple[int, int]]) -> Asking:
        """Put the expressions in place of the names that are no columns."""
        columns: list[str] | None = []
        if select.source < select.source_end:
            columns = yield self._question(select, "*")
        if columns is None:
            return
        for at, (start, end) in sorted(uses.items()):
            if self.statement.name(at) not in columns:
                self.edits[at] = f"({self.write(start, end).strip()})"

    def _exclude(self, select: Select) -> Asking:
        """Write the columns that are left in place of each `*`; nothing is written if they can not be told apart."""
        listed = range(select.items_end + 1, select.exclude_end)
        excluded = {self.statement.name(at) for at in listed if self.statement.is_name(at)}
        edits = dict.fromkeys(range(select.items_end, select.exclude_end), "")
        for start, end in self._items(select):
            if self.statement.words[end - 1] != "*" or end - start not in (1, 3):
                continue
            table = self.write(start, end - 1).strip()
            columns = yield self._question(select, f"{table}*")
            if columns is None or not excluded.issubset(columns):
                return
            left = [name for name in columns if name not in excluded]
            if len(set(left)) < len(left) or not left:
                return
            edits |= dict.fromkeys(range(start, end), "")
            quoted = (name.replace('"', '""') for name in left)
            edits[start] = ", ".join(f'{table}"{name}"' for name in quoted)
        self.edits |= edits

    def _question(self, select: Select, columns: str) -> bytes:
        """The statement that gives the names of columns, as PostgreSQL finds them."""
        text = f"SELECT {columns} " + self.write(select.source, select.source_end).strip()
        opening = select.query.opening
        within = select.query.start
        while True:
            if tables := self._common_tables(opening, within):
                # S608: these are the client's own words.
                read = text if text.startswith("SELECT") else f"SELECT * FROM ({text}) AS read_"  # noqa: S608
                text = f"{tables} {read}"
            if opening < 0:
                break
            within, opening = opening, self.statement.around[opening]
        known = translate(text.encode(errors="surrogateescape"), situations=frozenset())
        return b"SELECT local_redshift.columns_of(%s)" % literal(known.decode(errors="surrogateescape")).encode()

    def _common_tables(self, opening: int, within: int) -> str:
        """The WITH clause that stands behind an opening parenthesis, as far as a position in it can read it."""
        level = list(self.statement.level(opening + 1))
        begins = next((at for at in level if self.statement.words[at] == "with" and at < within), None)
        if begins is None:
            return ""
        verb = next((at for at in level if at > begins and self.statement.words[at] in VERBS), within)
        commas = [at for at in level if begins < at < within and self.statement.words[at] == ","]
        if within >= verb:
            return self.write(begins, verb).strip()
        return self.write(begins, commas[-1]).strip() if commas else ""
