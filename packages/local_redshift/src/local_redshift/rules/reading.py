"""A statement as the rules read it: its words, parentheses, verb and relations.

Everything is found in the tokens. A syntax tree would cost six times as much for each statement that
passes, and sqlglot's leaves out some of what is to be refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from local_redshift.translation.tokens import Token, tokenize


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


VERBS = frozenset({"select", "insert", "update", "delete", "merge"})
QUERIES = frozenset({"select", "with"})
SET_OPERATIONS = frozenset({"union", "except", "intersect", "minus"})
WRITING = frozenset({"insert", "update", "delete", "merge", "truncate", "copy", "unload"})
CATALOG_SCHEMAS = frozenset({"pg_catalog", "information_schema"})
CATALOG_PREFIXES = ("pg_", "svv_", "svl_", "svcs_", "stl_", "stv_", "sys_")
# Calls in which FROM stands between arguments.
WITH_FROM = frozenset({"extract", "trim", "substring", "position", "overlay"})
AFTER_RELATION = words(
    "cross except fetch for full group having inner intersect join left limit minus natural offset on order pivot "
    "qualify right set tablesample union unpivot using when where window with"
)

Word = str | frozenset[str]


class Source(NamedTuple):
    """What a FROM names: where it begins and where its last name stands, its names and its alias in lower case.

    A subquery and a function have no names. Without an alias, a table's own name is its alias.
    """

    start: int
    at: int
    names: tuple[str, ...]
    alias: str

    @property
    def is_catalog(self) -> bool:
        """Whether it is one of the system's own."""
        return bool(CATALOG_SCHEMAS.intersection(self.names[:-1])) or self.names[-1].startswith(CATALOG_PREFIXES)


@dataclass(eq=False)
class Query:
    """A SELECT: where it stands, the parenthesis before it, the query around it, and the aliases of its FROM."""

    start: int
    opening: int
    parent: Query | None
    is_table: bool
    names: set[str] = field(default_factory=set)


class Statement:
    """One statement."""

    def __init__(self, tokens: list[Token]) -> None:
        """Read the tokens of one statement, with or without the token of the end."""
        self.tokens = [token for token in tokens if token.kind != "end"]
        # A name in double quotes is no keyword; what is left empty matches none.
        self.words = [token.word for token in self.tokens]
        self._owners: list[Query] = []

    @classmethod
    def of(cls, text: str) -> Statement:
        """Read the text of one statement.

        >>> Statement.of("WITH a AS (SELECT 1) DELETE FROM t USING a").kind
        'delete'
        """
        return cls(tokenize(text))

    @cached_property
    def text(self) -> str:
        """The statement without the comments and spaces around it."""
        return "".join(token.space + token.text for token in self.tokens).strip()

    @cached_property
    def partner(self) -> dict[int, int]:
        """For each parenthesis the position of the other; one that is not closed has none."""
        pairs: dict[int, int] = {}
        opened: list[int] = []
        for at, word in enumerate(self.words):
            if word == "(":
                opened.append(at)
            elif word == ")" and opened:
                opening = opened.pop()
                pairs[opening], pairs[at] = at, opening
        return pairs

    @cached_property
    def around(self) -> list[int]:
        """For each position that of the innermost parenthesis that is open there, its own not; -1 without one."""
        found: list[int] = []
        opened = [-1]
        for word in self.words:
            if word == ")" and opened[1:]:
                opened.pop()
            found.append(opened[-1])
            if word == "(":
                opened.append(len(found) - 1)
        return found

    def word(self, at: int) -> str:
        """The word at a position; empty beyond either end."""
        return self.words[at] if 0 <= at < len(self.words) else ""

    def is_name(self, at: int) -> bool:
        """Whether a name, quoted or not, stands at a position. Keywords count too."""
        return 0 <= at < len(self.tokens) and self.tokens[at].kind in ("word", "name")

    def name(self, at: int) -> str:
        """The name at a position, in lower case as Redshift keeps it."""
        token = self.tokens[at]
        return token.text[1:-1].replace('""', '"').lower() if token.kind == "name" else token.word

    def after(self, at: int) -> int:
        """The position after what stands at one: a whole group when it is a parenthesis."""
        return self.partner.get(at, len(self.words) - 1) + 1 if self.word(at) == "(" else at + 1

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """The positions of each word."""
        places: dict[str, list[int]] = {}
        for at, word in enumerate(self.words):
            places.setdefault(word, []).append(at)
        return places

    def find(self, *sequence: Word, start: int = 0, stop: int | None = None) -> Iterator[int]:
        """Each position where these words stand one after the other, inside parentheses too."""
        end = (len(self.words) if stop is None else stop) - len(sequence) + 1
        first, *rest = [word if isinstance(word, frozenset) else frozenset({word}) for word in sequence]
        for at in sorted(at for word in first for at in self.places.get(word, ())):
            if start <= at < end and all(self.words[at + step] in wanted for step, wanted in enumerate(rest, 1)):
                yield at

    def first(self, *sequence: Word, start: int = 0, stop: int | None = None) -> int | None:
        """The first of these positions."""
        return next(self.find(*sequence, start=start, stop=stop), None)

    def level(self, start: int, stop: int | None = None) -> Iterator[int]:
        """The positions from one on at its own depth: a group in parentheses counts by its first alone."""
        end = len(self.words) if stop is None else stop
        while start < end and self.words[start] != ")":
            yield start
            start = self.after(start)

    def split(self, start: int, stop: int | None = None) -> Iterator[tuple[int, int]]:
        """The ranges between the commas of this depth."""
        begin = at = start
        for at in self.level(start, stop):
            if self.words[at] == ",":
                yield begin, at
                begin = at + 1
        end = self.after(at) if begin < len(self.words) else begin
        yield begin, end if stop is None else min(end, stop)

    def dotted(self, at: int) -> int:
        """The position after the name, with its database and schema, that begins at a position."""
        while self.is_name(at) and self.word(at + 1) == ".":
            at += 2
        return at + 1

    @cached_property
    def start(self) -> int:
        """Position at which the statement itself begins, behind EXPLAIN or PREPARE and opening parentheses."""
        start = 0
        if self.word(0) == "explain":
            start = 1 + (self.word(1) == "verbose")
        elif self.word(0) == "prepare":
            start = next((at + 1 for at in self.level(0) if self.words[at] == "as"), 0)
        while self.word(start) == "(":
            start += 1
        return start

    @cached_property
    def verb(self) -> int:
        """Position of the word that says what the statement does, behind its WITH clause."""
        if self.word(self.start) == "with":
            return next((at for at in self.level(self.start) if self.words[at] in VERBS), self.start)
        return self.start

    @property
    def kind(self) -> str:
        """The word that says what the statement does; empty when there is none."""
        return self.word(self.verb)

    @cached_property
    def table(self) -> int | None:
        """Position of the table's name in CREATE TABLE and ALTER TABLE."""
        if self.word(0) not in ("create", "alter"):
            return None
        at = self.first("table", stop=6)
        if at is None:
            return None
        at += 1
        if self.word(at) == "if":
            at += 2 + (self.word(at + 1) == "not")
        return at

    @cached_property
    def columns(self) -> list[tuple[int, int]]:
        """The ranges of the columns and constraints that a CREATE TABLE, or an ALTER TABLE with ADD, defines."""
        if self.table is None:
            return []
        at = self.dotted(self.table)
        if self.words[0] == "alter":
            column = at + 1 + (self.word(at + 1) == "column")
            column += 3 if self.word(column) == "if" else 0
            return [(column, len(self.words))] if self.word(at) == "add" else []
        if self.word(at) != "(" or self.is_query(self.after(at)):
            return []
        return list(self.split(at + 1))

    @cached_property
    def body(self) -> int:
        """Position of the AS in a CREATE, behind which its query stands; the end of anything else."""
        level = self.level(0) if self.word(0) == "create" else ()
        return next((at for at in level if self.words[at] == "as"), len(self.words))

    def is_query(self, at: int) -> bool:
        """Whether the rest of a CREATE TABLE, from behind its columns on, gives it a query."""
        return any(self.words[position] == "as" for position in self.level(at))

    @cached_property
    def common_tables(self) -> frozenset[str]:
        """The names that WITH clauses define."""
        if "with" not in self.words:
            return frozenset()
        named = set()
        for at in self.find("as", frozenset({"(", "materialized", "not"})):
            before = self.partner.get(at - 1, at) - 1 if self.word(at - 1) == ")" else at - 1
            if self.is_name(before):
                named.add(self.name(before))
        return frozenset(named)

    @cached_property
    def sources(self) -> list[Source]:
        """What FROM, JOIN and USING name: tables, views, functions and subqueries."""
        found = []
        for at in self.find(frozenset({"from", "join", "using"})):
            if self.words[at] == "from" and self._is_argument(at):
                continue
            position = at + 1
            while position < len(self.words):
                source, end = self._source(position)
                found.append(source)
                if self.word(end) != "," or self.words[at] == "join":
                    break
                position = end + 1
        return found

    def _source(self, start: int) -> tuple[Source, int]:
        """What is named from a position on, and the position behind its alias."""
        start += self.word(start) == "only"
        end = self.after(start) if self.word(start) == "(" else self.dotted(start)
        is_call = self.is_name(start) and self.word(end) == "("
        names = tuple(self.name(at) for at in range(start, end, 2)) if self.is_name(start) and not is_call else ()
        last = end - 1
        if is_call:
            end = self.after(end)
        if self.word(end) == "as":
            end += 1
        alias = names[-1] if names else ""
        if self.is_name(end) and self.words[end] not in AFTER_RELATION:
            alias = self.name(end)
            end = self.after(end + 1) if self.word(end + 1) == "(" else end + 1
        return Source(start, last, names, alias), end

    @cached_property
    def relations(self) -> list[Source]:
        """The tables and views among them, without those of WITH clauses."""
        named = [each for each in self.sources if each.names]
        return [each for each in named if len(each.names) > 1 or each.names[0] not in self.common_tables]

    @cached_property
    def queries(self) -> list[Query]:
        """Each SELECT, and first what is around them all; a SELECT comes behind the one around it."""
        everything = Query(0, -1, None, is_table=False)
        found, around, opened = [everything], everything, list[tuple[int, Query]]()
        self._owners = []
        tables = {source.start for source in self.sources}
        for at, word in enumerate(self.words):
            if word == "(":
                opened.append((at, around))
            elif word == ")" and opened:
                around = opened.pop()[1]
            elif word == "select":
                opening, parent = opened[-1] if opened else (-1, everything)
                around = Query(at, opening, parent, is_table=self._is_table(opening, tables))
                found.append(around)
            self._owners.append(around)
        for source in self.sources:
            self._owners[source.start].names.add(source.alias)
        if self.kind in ("update", "delete", "merge"):
            start = self.verb + 1 + (self.word(self.verb + 1) in ("from", "into"))
            everything.names.add(self.name(self.dotted(start) - 1) if self.is_name(start) else "")
        return found

    def query(self, at: int) -> Query:
        """The innermost SELECT around a position."""
        self.queries  # noqa: B018 - finds the owners
        return self._owners[at]

    def _is_table(self, opening: int, tables: set[int]) -> bool:
        """Whether the query in a parenthesis is a table of the one around it, and no value or condition."""
        before, after = self.word(opening - 1), self.word(self.after(opening))
        while opening >= 0 and opening not in tables and before != "as":
            # An operand of a set operation, or parentheses around parentheses: as what is around it.
            # (What precedes a UNION may also be the last condition of its first SELECT.)
            begins_operation = after in SET_OPERATIONS and before in ("", ")")
            # ALL stands behind a comparison as well.
            if before == "all":
                before = self.word(opening - 2)
            if before != "(" and before not in SET_OPERATIONS and not begins_operation:
                return False
            opening = self.around[opening]
            before, after = self.word(opening - 1), self.word(self.after(opening))
        return True

    def _is_argument(self, at: int) -> bool:
        """Whether a FROM belongs to EXTRACT and its like, or to IS DISTINCT FROM."""
        if self.word(at - 1) == "distinct":
            return True
        opening = self.around[at]
        return opening > 0 and self.words[opening - 1] in WITH_FROM

    @cached_property
    def on_compute_nodes(self) -> bool:
        """Whether the statement reads or writes tables of users, and so runs on the compute nodes."""
        if self.kind in WRITING or (self.word(0) == "create" and self.table is not None):
            return True
        if self.kind == "select" and "into" in self.words:
            return True
        return any(not relation.is_catalog for relation in self.relations)

    @cached_property
    def on_catalog(self) -> bool:
        """Whether the statement reads the catalog alone: the leader node has more for it than is documented."""
        return bool(self.relations) and not self.on_compute_nodes

    @cached_property
    def calls(self) -> list[int]:
        """Positions of the names of the functions that are called without a schema, or with pg_catalog."""
        return [at - 1 for at in self.places.get("(", ()) if self.is_name(at - 1) and self._is_call(at - 1)]

    def _is_call(self, at: int) -> bool:
        before = at - 1
        if self.word(before) == ".":
            return self.is_name(before - 1) and self.name(before - 1) == "pg_catalog"
        if before < 0 or self.tokens[before].kind in ("name", "number", "literal", "parameter"):
            return False
        word = self.words[before]
        if word == "(" and self.table is not None and before == self.dotted(self.table):
            return False  # the first of a table's columns or constraints
        if self.word(self.after(at + 1)) == "as" and self.word(self.after(at + 1) + 1) == "(":
            return False  # a common table with names for its columns
        return word in BEFORE_EXPRESSION or (self.tokens[before].kind == "sign" and word not in (")", "::"))

    @cached_property
    def casts(self) -> list[int]:
        """Positions of the types to which something is cast."""
        found = [at + 1 for at in self.find("::")]
        for at in self.find(frozenset({"cast", "try_cast"}), "("):
            within = self.level(at + 2)
            if (named := [position for position in within if self.words[position] == "as"]) != []:
                found.append(named[-1] + 1)
        return found

    @cached_property
    def types(self) -> list[int]:
        """Positions of the types of casts, and of the columns that are defined."""
        defined = [start + 1 for start, _end in self.columns if self.words[start] not in TABLE_CONSTRAINTS]
        return self.casts + [at for at in defined if at < len(self.words)]


TABLE_CONSTRAINTS = frozenset({"constraint", "primary", "unique", "foreign", "like", "check", "exclude"})
BEFORE_EXPRESSION = words(
    "all and any between by case default distinct else escape except from having ilike in intersect is join like "
    "limit minus not offset on or returning select set some then to union values when where"
)


def called(statement: Statement, names: frozenset[str]) -> Iterator[int]:
    """The positions of the calls of these functions."""
    yield from (at for at in statement.calls if statement.name(at) in names)


def arguments(statement: Statement, call: int) -> list[tuple[int, int]]:
    """The ranges of the arguments of a call; of one without any an empty one."""
    return list(statement.split(call + 2, statement.partner.get(call + 1)))
