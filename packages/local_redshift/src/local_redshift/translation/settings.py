"""Session parameters and administrative commands that only Redshift has, and the isolation level, which it ignores."""

from __future__ import annotations

import re

from local_redshift.translation.tokens import Token, literal, tokenize

# PostgreSQL takes any parameter with a prefix, and only there.
PREFIX = "redshift."
PARAMETERS = frozenset(
    {
        "activate_aqua",
        "analyze_threshold_percent",
        "auto_analyze",
        "auto_mv",
        "cast_super_null_on_error",
        "datashare_break_glass_session_var",
        "default_geometry_encoding",
        "describe_field_name_in_uppercase",
        "downcase_delimited_identifier",
        "enable_case_sensitive_identifier",
        "enable_case_sensitive_super_attribute",
        "enable_large_strings_opt_in",
        "enable_numeric_rounding",
        "enable_result_cache_for_session",
        "enable_vacuum_boost",
        "error_on_nondeterministic_update",
        "json_parse_dedup_attributes",
        "json_parse_truncate_strings",
        "json_serialization_enable",
        "json_serialization_parse_nested_strings",
        "max_concurrency_scaling_clusters",
        "max_cursor_result_set_size",
        "mv_enable_aqmv_for_session",
        "navigate_super_null_on_error",
        "parse_super_null_on_error",
        "pg_federation_repeatable_read",
        "query_group",
        "spectrum_enable_pseudo_columns",
        "spectrum_query_maxerror",
        "stored_proc_log_min_messages",
        "use_fips_ssl",
        "wlm_query_slot_count",
    }
)
# These change how PostgreSQL reads a statement, so that text could hide from the rules. Redshift has none of them.
READING = frozenset(
    {
        "array_nulls",
        "backslash_quote",
        "escape_string_warning",
        "quote_all_identifiers",
        "standard_conforming_strings",
        "transform_null_equals",
    }
)
# Options of a connection: `-c name=value`, `--name=value`, with hyphens or underscores.
READING_OPTION = re.compile("|".join(sorted(READING)).replace("_", "[-_]").encode(), re.IGNORECASE)
LEVELS = (("serializable",), ("read", "uncommitted"), ("read", "committed"), ("repeatable", "read"))
VACUUM_MODES = frozenset({"full", "sort", "delete", "only", "reindex", "recluster"})


def translate_setting(tokens: list[Token]) -> list[Token]:
    """Keep Redshift's parameters under a prefix, reduce VACUUM and ANALYZE to their table, users to their name."""
    first = tokens[0].word
    if first in ("begin", "start"):
        return _without_level(tokens)
    if [token.word for token in tokens[:4]] == ["show", "columns", "from", "table"]:
        return _show_columns(tokens)
    if first in ("set", "reset") and [token.word for token in tokens[1:3]] == ["session", "authorization"]:
        return _session_authorization(tokens)
    if first in ("set", "reset", "show"):
        at = 2 if len(tokens) > 1 and tokens[1].word in ("session", "local") else 1
        if at < len(tokens) and tokens[at].word in PARAMETERS:
            named = tokens[at]._replace(text=PREFIX + tokens[at].text)
            return [*tokens[:at], named, *tokens[at + 1 :]]
    if first in ("create", "alter") and tokens[1].word == "user":
        return _without(tokens, "password", "disable")
    if first == "vacuum":
        kept = [token for token in tokens if token.word not in VACUUM_MODES | {"boost"}]
        return _until(kept, "to")
    if first == "analyze":
        kept = [token for token in tokens if token.word != "compression"]
        return _until(_until(kept, "predicate"), "all")
    return tokens


def _session_authorization(tokens: list[Token]) -> list[Token]:
    """SET SESSION AUTHORIZATION as SET ROLE, which needs no superuser of PostgreSQL."""
    user = [_words(" NONE")[0] if token.word == "default" else token for token in tokens[3:]]
    return [tokens[0], *_words(" ROLE"), *user]


def _show_columns(tokens: list[Token]) -> list[Token]:
    """SHOW COLUMNS FROM TABLE [database.]schema.table [LIKE pattern] [LIMIT number] as a query of its function."""
    end = first = 5
    while end + 1 < len(tokens) and tokens[end].word == ".":
        end += 2
    if end == first:
        return tokens  # no schema: a syntax error here as well
    relation = "".join(token.text for token in tokens[4:end])
    named = Token("", "literal", literal(relation), "")
    rest = tokens[end:]
    filtered = _words(" WHERE column_name") if rest and rest[0].word == "like" else []
    return [*_words("SELECT * FROM local_redshift.show_columns("), named, *_words(")"), *filtered, *rest]


def _words(text: str) -> list[Token]:
    return tokenize(text)[:-1]


def _without_level(tokens: list[Token]) -> list[Token]:
    """BEGIN without its isolation level: the database's holds for all transactions."""
    for level in LEVELS:
        tokens = _without(tokens, "isolation", "level", *level)
    return tokens


def _without(tokens: list[Token], *words: str) -> list[Token]:
    for position in range(len(tokens) - len(words) + 1):
        if tuple(token.word for token in tokens[position : position + len(words)]) == words:
            return [*tokens[:position], *tokens[position + len(words) :]]
    return tokens


def _until(tokens: list[Token], word: str) -> list[Token]:
    for position, token in enumerate(tokens):
        if token.word == word:
            return tokens[:position]
    return tokens
