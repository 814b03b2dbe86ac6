"""CREATE TABLE, CREATE VIEW, ALTER TABLE, DELETE: what Redshift says there and PostgreSQL does not know.

Distribution and sort keys become indexes, in the part that collocation and zone maps play on
Redshift. PostgreSQL can not make one within CREATE TABLE, so the keys follow the statement in a
comment, and an event trigger (`sql/keys.sql`) makes the indexes in the same transaction.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from local_redshift.rules.reading import Statement
from local_redshift.translation.tokens import Token, closing, split, write

TYPES = {
    "text": "VARCHAR(256)",
    "varchar": "VARCHAR(256)",
    "nvarchar": "VARCHAR(256)",
    "character varying": "VARCHAR(256)",
    "bpchar": "CHAR(256)",
    "numeric": "NUMERIC(18, 0)",
    "decimal": "NUMERIC(18, 0)",
    "dec": "NUMERIC(18, 0)",
    "datetime": "TIMESTAMP",
    "super": "JSONB",
    "varbyte": "BYTEA",
    "varbinary": "BYTEA",
}
UNSIZED = frozenset({"numeric", "decimal", "dec"})
SIZED_TYPES = {"nvarchar": "VARCHAR", "nchar": "CHAR", "bpchar": "CHAR"}
# The short names of what `sql/1_database.sql` makes.
COLLATIONS = {"cs": "case_sensitive", "ci": "case_insensitive"}
VIEW_ATTRIBUTES = frozenset({"auto", "backup", "distkey", "diststyle", "sortkey"})
OF_IAM = ('"IAM:', '"IAMR:')
TEMPORARY = frozenset({"temp", "temporary"})
TABLE_CONSTRAINTS = frozenset({"constraint", "primary", "unique", "foreign", "like"})


@dataclass
class Keys:
    """The keys of a table, as its definition says them."""

    distribution: str | None = None
    sort: list[str] = field(default_factory=list)
    not_null: set[str] = field(default_factory=set)

    def comment(self, table: list[Token]) -> str:
        """The comment from which the event trigger reads them; nothing when there are none."""
        if not self.distribution and not self.sort:
            return ""
        name = write([token for token in table if token.kind != "end"][-3:]).strip()
        known = {"table": name, "distkey": self.distribution, "sortkeys": self.sort}
        # On a line of its own, as the statement may end in a comment. "\/" is "/" in JSON, and does not end a comment.
        return "\n/*local_redshift " + json.dumps(known).replace("/", "\\/") + "*/"


def fold_names(tokens: list[Token]) -> list[Token]:
    """Write names in double quotes in lower case, as Redshift keeps them (DG/r_names), but those of IAM's users.

    >>> from local_redshift.translation.tokens import tokenize
    >>> write(fold_names(tokenize('SELECT "Id" FROM "T"')))
    'SELECT "id" FROM "t"'
    """
    return [
        token._replace(text=token.text.lower()) if token.kind == "name" and not token.text.startswith(OF_IAM) else token
        for token in tokens
    ]


def name_temporary(tokens: list[Token]) -> list[Token]:
    """Quote the names that begin with a hash, and make the tables temporary that get such a name."""
    named: list[Token] = []
    for token in tokens:
        if token.kind not in ("word", "name") or not token.text.startswith(("#", '"#')):
            named.append(token)
            continue
        first, last = [each.word for each in named[:7]], [each.word for each in named[-2:]]
        if first[:1] == ["create"] and last[-1] in ("table", "exists") and not TEMPORARY.intersection(first):
            named.insert(first.index("table"), _word("TEMP"))
        elif last[-1:] == ["into"] and last[0] not in ("insert", "merge"):
            named.append(_word("TEMP"))  # SELECT INTO
        named.append(token._replace(kind="name", text=f'"{token.word}"', word="") if token.word else token)
    return named


def translate_definition(tokens: list[Token]) -> tuple[list[Token], str]:
    """Give the statement in PostgreSQL's terms, and the comment that carries the table's keys."""
    words = [token.word for token in tokens[:7]]
    if words[0] == "delete" and words[1] != "from":
        return [tokens[0], _word("FROM"), *tokens[1:]], ""
    if words[0] == "alter" and "table" in words[:2]:
        return _alter_table(tokens), ""
    if words[0] != "create":
        return tokens, ""
    at = 1
    while at < len(words) and words[at] in ("local", "temp", "temporary", "or", "replace", "materialized"):
        at += 1
    if at < len(words) and words[at] == "view":
        bound = _create_view(tokens)
        return (_create_materialized_view(bound, at + 1) if words[at - 1] == "materialized" else bound), ""
    if at < len(words) and words[at] == "table":
        at += 1
        if words[at : at + 3] == ["if", "not", "exists"]:
            at += 3
        return _create_table(tokens, at)
    return tokens, ""


def _create_view(tokens: list[Token]) -> list[Token]:
    """A late-binding view is bound here: PostgreSQL has no other."""
    last = [token.word for token in tokens[-5:]]
    if last[:4] == ["with", "no", "schema", "binding"]:
        return [*tokens[:-5], tokens[-1]]
    if last[1:] == ["with", "no", "schema", "binding"]:
        return tokens[:-4]
    return tokens


def _create_materialized_view(tokens: list[Token], at: int) -> list[Token]:
    """Drop the attributes between its name and its query; what it is refreshed by is REFRESH alone."""
    words = [token.word for token in tokens]
    if "as" not in words[at:]:
        return tokens
    name = next((end for end in range(at, words.index("as", at)) if words[end] in VIEW_ATTRIBUTES), None)
    return tokens if name is None else [*tokens[:name], *tokens[words.index("as", name) :]]


def _alter_table(tokens: list[Token]) -> list[Token]:
    column_at = [token.word for token in tokens].index("table") + 2
    for at, token in enumerate(tokens):
        if token.word == "add" and at + 2 < len(tokens):
            start = at + 1 + (tokens[at + 1].word == "column")
            end = len(tokens) - (tokens[-1].kind == "end")
            if tokens[start].word in TABLE_CONSTRAINTS and _informational(tokens[start:end]):
                named = tokens[start : start + 2] if tokens[start].word == "constraint" else []
                return [*tokens[:start], *named, _word("CHECK (TRUE) NOT ENFORCED"), *tokens[end:]]
            column = _column(tokens[start:end], Keys())
            return [*tokens[:start], *column, *tokens[end:]]
        if token.word == "type" and at > column_at:
            return [*tokens[: at + 1], *_type(tokens[at + 1 :])]
    return tokens


def _create_table(tokens: list[Token], at: int) -> tuple[list[Token], str]:
    start = at
    while at < len(tokens) and (tokens[at].kind in ("word", "name") or tokens[at].word == "."):
        # The name ends where two words stand without a point between.
        if at > start and tokens[at].word != "." and tokens[at - 1].word != ".":
            break
        at += 1
    table = tokens[start:at]
    keys = Keys()
    columns: list[Token] = []
    if at < len(tokens) and tokens[at].word == "(":
        close = closing(tokens, at)
        columns, at = tokens[at : close + 1], close + 1
    kept, at = _table_attributes(tokens, at, keys)
    if columns and not (at < len(tokens) and tokens[at].word == "as"):
        columns = _columns(columns, keys)
    return [*tokens[:start], *table, *columns, *kept, *tokens[at:]], keys.comment(table)


def _table_attributes(tokens: list[Token], at: int, keys: Keys) -> tuple[list[Token], int]:
    """Read the attributes up to AS or the end; give what PostgreSQL knows, and the position."""
    kept = []
    while at < len(tokens):
        word = tokens[at].word
        after = tokens[at + 1] if at + 1 < len(tokens) else tokens[at]
        if word in ("backup", "diststyle", "encode"):
            at += 2
        elif word in ("compound", "interleaved"):
            at += 1
        elif word in ("distkey", "sortkey") and after.word == "(":
            close = closing(tokens, at + 1)
            names = [write(part).strip() for part in split(tokens[at + 2 : close], ",")]
            if word == "distkey":
                keys.distribution = _identifier(names[0])
            else:
                keys.sort = [_identifier(name) for name in names]
            at = close + 1
        elif word == "sortkey":
            at += 2  # SORTKEY AUTO
        elif word == "as" or tokens[at].kind == "end":
            break
        else:
            kept.append(tokens[at])
            at += 1
    return kept, at


def _columns(tokens: list[Token], keys: Keys) -> list[Token]:
    elements = split(tokens[1:-1], ",")
    for element in elements:
        # Keys are not enforced on Redshift; but a primary key's columns may not be NULL.
        words = [token.word for token in element]
        if words[0] in TABLE_CONSTRAINTS and "primary" in words:
            named = element[words.index("(") + 1 : -1]
            keys.not_null |= {_identifier(write(part).strip()) for part in split(named, ",")}
    written = []
    for element in elements:
        if element[0].word not in TABLE_CONSTRAINTS:
            written.append(_column(element, keys))
        elif not _informational(element):
            written.append(element)
    comma = Token("", "sign", ",", ",")
    joined = [token for element in written for token in (comma, *element)][1:]
    return [tokens[0], *joined, tokens[-1]]


def _informational(element: list[Token]) -> bool:
    words = [token.word for token in element[:3]]
    kind = words[-1] if words[0] == "constraint" else words[0]
    return kind in ("primary", "unique", "foreign")


def _column(element: list[Token], keys: Keys) -> list[Token]:
    name = _identifier(element[0].text)
    kept = [element[0]]
    rest = _type(element[1:])
    at = 0
    not_null = name in keys.not_null
    while at < len(rest):
        word = rest[at].word
        after = rest[at + 1].word if at + 1 < len(rest) else ""
        if word == "distkey":
            keys.distribution = name
            at += 1
        elif word == "sortkey":
            keys.sort = [name]
            at += 1
        elif word == "encode":
            at += 2
        elif word == "unique":
            at += 1
        elif word == "primary" and after == "key":
            not_null = True
            at += 2
        elif word == "references":
            at += 1
            while at < len(rest) and (rest[at].kind in ("word", "name") or rest[at].word == "."):
                at += 1
            if at < len(rest) and rest[at].word == "(":
                at = closing(rest, at) + 1
        elif word == "identity" and after == "(":
            close = closing(rest, at + 1)
            seed, step = (write(part).strip() for part in split(rest[at + 2 : close], ","))
            generated = "" if kept[-1].word == "as" else "GENERATED BY DEFAULT AS "
            # PostgreSQL's own bound is 1, and IDENTITY(0, 1) is what most write.
            bound = "MAXVALUE" if step.startswith("-") else "MINVALUE"
            kept.append(_word(f"{generated}IDENTITY (START WITH {seed} INCREMENT BY {step} {bound} {seed})"))
            at = close + 1
        else:
            if word == "null" and kept[-1].word == "not":
                not_null = False
            is_short = kept[-1].word == "collate" and word in COLLATIONS
            kept.append(_word(COLLATIONS[word]) if is_short else rest[at])
            at += 1
    return [*kept, _word("NOT NULL")] if not_null else kept


def _type(tokens: list[Token]) -> list[Token]:
    """The type that stands first, with the length that Redshift gives it by default."""
    if not tokens:
        return tokens
    words = 2 if [token.word for token in tokens[:2]] == ["character", "varying"] else 1
    name = " ".join(token.word for token in tokens[:words])
    sized = len(tokens) > words and tokens[words].word == "("
    if sized and name in ("varbyte", "varbinary"):
        return [_word("BYTEA"), *tokens[closing(tokens, words) + 1 :]]
    known = SIZED_TYPES.get(name) if sized else TYPES.get(name)
    return [_word(known), *tokens[words:]] if known else tokens


def size_numbers(tokens: list[Token]) -> list[Token]:
    """Give each cast to NUMERIC without a precision the one that Redshift takes, which has no decimals.

    >>> from local_redshift.translation.tokens import tokenize, write
    >>> write(size_numbers(tokenize("SELECT CAST(a AS DECIMAL), b::NUMERIC(8, 2) FROM t")))
    'SELECT CAST(a AS NUMERIC(18, 0)), b::NUMERIC(8, 2) FROM t'
    """
    if UNSIZED.isdisjoint(token.text.strip('"').lower() for token in tokens):
        return tokens
    statement = Statement(tokens)
    before_literals = [
        at for at in statement.find(UNSIZED) if [one.kind for one in tokens[at + 1 : at + 2]] == ["literal"]
    ]
    sized = list(tokens)
    for at in [*statement.casts, *before_literals]:
        end = statement.dotted(at)
        if statement.is_name(at) and statement.name(end - 1) in UNSIZED and statement.word(end) != "(":
            sized[end - 1] = Token(tokens[end - 1].space, "word", TYPES["numeric"], TYPES["numeric"].lower())
    return sized


def _identifier(text: str) -> str:
    """A column's name as the catalog has it."""
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()


def _word(text: str) -> Token:
    return Token(" ", "word", text, text.lower())
