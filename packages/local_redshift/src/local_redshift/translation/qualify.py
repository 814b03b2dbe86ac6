"""QUALIFY: the condition moves into a subquery, and a WHERE around it reads it."""

from __future__ import annotations

from local_redshift.translation.tokens import Token, split, tokenize, write

AFTER_QUALIFY = frozenset({"union", "except", "intersect", "minus", "order", "limit", "offset", "with"})


def translate_qualify(tokens: list[Token]) -> list[Token]:
    """Rewrite the SELECTs of this level; those in parentheses have their own turn.

    >>> write(translate_qualify(tokenize("SELECT a FROM t QUALIFY row_number() OVER (ORDER BY b) = 1")))
    'SELECT a FROM (SELECT a, (row_number() OVER (ORDER BY b) = 1) AS qualify_ FROM t) AS q_ WHERE qualify_'
    """
    at = _find(tokens, {"qualify"}, 0)
    if at == len(tokens):
        return tokens
    start = max(i for i in range(at) if tokens[i].word == "select" and not _depth(tokens, i))
    stop = _find(tokens, AFTER_QUALIFY, at)
    if stop == len(tokens) and tokens[-1].kind == "end":
        stop -= 1
    source = min(_find(tokens, {"from"}, start), at)
    select, condition = tokens[start + 1 : source], tokens[at + 1 : stop]
    body = _select(select, write(tokens[source:at]), condition)
    text = write(tokens[:start]) + tokens[start].space + body + write(tokens[stop:])
    rewritten = tokenize(text)
    return translate_qualify(rewritten if tokens[-1].kind == "end" else rewritten[:-1])


def _select(select: list[Token], source: str, condition: list[Token]) -> str:
    distinct = ""
    if select[0].word == "distinct":
        distinct, select = "DISTINCT ", select[1:]
    items = split(select, ",")
    if any(item[-1].word == "*" for item in items):
        return _select_star(distinct, write(select), source, condition)
    names, written = [], []
    aliases: dict[str, str] = {}
    for number, item in enumerate(items, 1):
        name, expression = _name(item)
        if name is None:
            name = f"column_{number}"
        elif write(expression).strip() != name:
            aliases[name.lower()] = write(expression).strip()
        names.append(name)
        written.append(f"{write(expression).strip()} AS {name}" if name != write(item).strip() else name)
    test = write(_with_aliases(condition, aliases)).strip()
    # S608 here and below: these are the client's own words in another order.
    inner = f"SELECT {', '.join(written)}, ({test}) AS qualify_{source}"
    return f"SELECT {distinct}{', '.join(names)} FROM ({inner}) AS q_ WHERE qualify_"  # noqa: S608


def _select_star(distinct: str, select: str, source: str, condition: list[Token]) -> str:
    """With `*` the columns have no names here: keep the row whole and test it by its columns."""
    test = write(_unqualified(condition)).strip()
    rows = f"SELECT {select.strip()}{source}"
    tested = f"SELECT row_, ({test}) AS qualify_ FROM ({rows}) AS row_"  # noqa: S608
    return f"SELECT {distinct}(q_.row_).* FROM ({tested}) AS q_ WHERE q_.qualify_"  # noqa: S608


def _name(item: list[Token]) -> tuple[str | None, list[Token]]:
    """The name that a column of the select list has, and its expression without the alias."""
    last = item[-1]
    if last.kind not in ("word", "name") or last.word == "end":
        return None, item
    if len(item) == 1:
        return last.text, item
    before = item[-2]
    if before.word == ".":
        return last.text, item
    if before.word == "as":
        return last.text, item[:-2]
    if before.kind == "sign" and before.word != ")":
        return None, item
    return last.text, item[:-1]


def _with_aliases(condition: list[Token], aliases: dict[str, str]) -> list[Token]:
    """Put the expression in place of each alias of the select list."""
    replaced = []
    for position, token in enumerate(condition):
        before = condition[position - 1].word if position else ""
        after = condition[position + 1].word if position + 1 < len(condition) else ""
        if token.word in aliases and before != "." and after not in (".", "("):
            replaced.append(token._replace(text=f"({aliases[token.word]})"))
        else:
            replaced.append(token)
    return replaced


def _unqualified(condition: list[Token]) -> list[Token]:
    """Drop the table before each column."""
    kept: list[Token] = []
    for position, token in enumerate(condition):
        if (
            position > 1
            and condition[position - 1].word == "."
            and [token.word for token in condition[position + 1 : position + 2]] != ["("]
        ):
            table, _point = kept.pop(-2), kept.pop()
            kept.append(token._replace(space=table.space))
        else:
            kept.append(token)
    return kept


def _find(tokens: list[Token], words: frozenset[str] | set[str], start: int) -> int:
    """Position of the first of the words outside parentheses; the number of tokens without one."""
    depth = 0
    for position in range(start, len(tokens)):
        word = tokens[position].word
        depth += (word == "(") - (word == ")")
        if depth == 0 and word in words:
            return position
    return len(tokens)


def _depth(tokens: list[Token], end: int) -> int:
    return sum((token.word == "(") - (token.word == ")") for token in tokens[:end])
