"""What Redshift refuses as a function.

The list is of what Redshift has, so that whatever PostgreSQL adds is refused without anyone's knowing.
"""

from __future__ import annotations

import re

from local_redshift.rules.reading import Statement, arguments, called, words
from local_redshift.rules.rule import Glance, rule

NOT_ON_TABLES = "Specified types or functions (one per INFO message) not supported on Redshift tables."
NOT_ON_TABLES_WORDING = "DG/c_sql-functions-leader-node"
UNSUPPORTED = "DG/c_unsupported-postgresql-functions"
LEADER = "DG/c_SQL_functions_leader_node_only"

AGGREGATES = words("""
    any_value avg bit_and bit_or bool_and bool_or count grouping grouping_id listagg max median min percentile_cont
    percentile_disc stddev stddev_pop stddev_samp sum var_pop var_samp variance
""")
WINDOW = words("""
    cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank ratio_to_report row_number
""")
CONDITIONAL = words("coalesce decode greatest least nullif nvl nvl2")
DATES = words("""
    add_months convert_timezone current_date date_add date_cmp date_cmp_timestamp date_cmp_timestamptz date_diff
    date_part date_part_year date_trunc dateadd datediff extract getdate interval_cmp last_day months_between next_day
    pgdate_part sysdate timeofday timestamp_cmp timestamp_cmp_date timestamp_cmp_timestamptz timestamptz_cmp
    timestamptz_cmp_date timestamptz_cmp_timestamp timezone to_timestamp
""")
STRINGS = words("""
    ascii bpcharcmp btrim bttext_pattern_cmp char_length character_length charindex chr collate concat crc32 difference
    initcap left len length lower lpad ltrim octet_length octetindex position quote_ident quote_literal regexp_count
    regexp_instr regexp_replace regexp_substr repeat replace replicate reverse right rpad rtrim soundex split_part
    strpos strtol substring textlen translate trim upper
""")
HASHES = words("checksum farmfingerprint64 fnv_hash func_sha1 md5 murmur3_32_hash sha sha1 sha2")
NUMBERS = words("""
    abs acos asin atan atan2 cbrt ceil ceiling cos cot degrees dexp dlog1 dlog10 exp floor ln log mod pi pow power
    radians random round sign sin sqrt tan to_hex trunc
""")
# A type can be called to cast into it, of which people make use with DATE alone; the guide does not name it.
FORMATS = words("cast convert date text_to_int_alt text_to_numeric_alt to_char to_date to_number try_cast")
JSON = words("""
    can_json_parse is_valid_json is_valid_json_array json_array_length json_extract_array_element_text
    json_extract_path_text json_parse json_serialize json_serialize_to_varbyte
""")
SUPER = words("""
    array array_concat array_contains array_distinct array_except array_flatten array_intersection array_position
    array_positions array_sort array_union arrays_overlap decimal_precision decimal_scale get_array_length is_array
    is_bigint is_boolean is_char is_decimal is_float is_integer is_object is_scalar is_smallint is_varchar json_size
    json_typeof lower_attribute_names object object_transform size split_to_array subarray upper_attribute_names
""")
BYTES = words("from_hex from_varbyte getbit to_varbyte")
SYSTEM = words("""
    change_query_priority change_session_priority change_user_priority current_aws_account current_database
    current_namespace current_session_arn current_setting current_user current_user_id db_collation
    default_iam_role explain_model_output has_assumerole_privilege last_user_query_id pg_backend_pid pg_cancel_backend
    pg_last_copy_count pg_last_copy_id pg_last_query_id pg_last_unload_count pg_last_unload_id pg_terminate_backend
    reboot_cluster role_is_member_of session_user set_config slice_num user user_is_member_of version
""")
GROUPING = words("cube rollup")
REDSHIFT = (
    AGGREGATES
    | WINDOW
    | CONDITIONAL
    | DATES
    | STRINGS
    | HASHES
    | NUMBERS
    | FORMATS
    | JSON
    | SUPER
    | BYTES
    | SYSTEM
    | GROUPING
)
# Geometry, cells, sketches; and users' functions, for which AWS proposes this beginning.
FAMILIES = ("f_", "h3_", "hll", "st_")
LEADER_ONLY = words(
    "age current_schema current_schemas current_time current_timestamp get_bit get_byte has_column_privilege "
    "has_database_privilege has_schema_privilege has_table_privilege isfinite localtime localtimestamp now set_bit "
    "set_byte substr to_ascii"
)
WITHOUT_PARENTHESES = frozenset({"current_schema", "current_time", "current_timestamp", "localtime", "localtimestamp"})
# Functions of arrays that PostgreSQL 8.0 has too, for queries of the catalog.
OF_THE_CATALOG = frozenset({"array_lower", "array_to_string", "array_upper", "string_to_array"})
SERIES = frozenset({"generate_series", "generate_subscripts"})
COMPUTE_ONLY = frozenset({"listagg", "median", "percentile_cont", "percentile_disc"})
LISTS = words(
    "array_agg array_append array_cat array_dims array_length array_lower array_ndims array_prepend array_remove "
    "array_replace array_to_json array_to_string array_upper cardinality json_agg json_array_elements "
    "json_build_array json_build_object json_each json_object_agg jsonb_agg jsonb_build_object row_to_json string_agg "
    "string_to_array to_json to_jsonb unnest xmlagg"
)
# Words before a parenthesis that are no functions.
KEYWORDS = words(
    "all and any array as between by case check distinct else except exclude exists filter from group having in insert "
    "intersect interval is join key lateral like limit materialized minus not offset on or order over partition "
    "primary references returning row select set sets similar some table then to union unique using values when where "
    "with within"
)
TYPES = frozenset({"char", "character", "decimal", "nchar", "numeric", "nvarchar", "time", "timestamp", "varchar"})
DOCUMENTED_AS_UNSUPPORTED = words(
    "bit_length clock_timestamp convert_from convert_to corr covar_pop covar_samp current_query div encode every "
    "format inet_client_addr inet_server_addr justify_days justify_hours justify_interval overlay pg_sleep "
    "quote_nullable regexp_matches regexp_split_to_array regexp_split_to_table regr_avgx regr_avgy regr_count "
    "regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy setseed transaction_timestamp width_bucket "
    "pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock pg_try_advisory_lock pg_try_advisory_xact_lock "
    "txid_current nextval currval setval lastval"
)
LISTED = REDSHIFT | LEADER_ONLY | SERIES | LISTS | DOCUMENTED_AS_UNSUPPORTED


@rule(
    " ".join(LEADER_ONLY),
    message=NOT_ON_TABLES,
    wording=NOT_ON_TABLES_WORDING,
    sqlstate="0A000",
    evidence=f"{LEADER}; AWS agent toolkit for Redshift, functions and types",
    refused="SELECT a, NOW() FROM t",
    accepted="SELECT a, GETDATE() FROM t",
)
def leader_node_functions(statement: Statement) -> int | None:
    """Functions of the leader node in a statement on users' tables: `NOW`, `CURRENT_TIMESTAMP`, `SUBSTR`, `AGE`."""
    if not statement.on_compute_nodes:
        return None
    for at in statement.find(WITHOUT_PARENTHESES):
        before, after = statement.word(at - 1), statement.word(at + 1)
        if "." not in (before, after) and before not in ("as", "set"):
            return at
    return next(called(statement, LEADER_ONLY), None)


@rule(
    " ".join(SERIES),
    message=NOT_ON_TABLES,
    wording=NOT_ON_TABLES_WORDING,
    sqlstate="0A000",
    evidence=f"{UNSUPPORTED}; AWS agent toolkit for Redshift, extensions",
    refused="INSERT INTO t (a) SELECT n FROM generate_series(1, 3) AS n",
    accepted="INSERT INTO t (a) WITH RECURSIVE numbers (n) AS "
    "(SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 3) SELECT n FROM numbers",
)
def generate_series(statement: Statement) -> int | None:
    """`generate_series` in a statement on users' tables."""
    return next(called(statement, SERIES), None) if statement.on_compute_nodes else None


@rule(
    " ".join(COMPUTE_ONLY),
    message="One or more of the used functions must be applied on at least one user created table.",
    wording="DG/c_SQL_functions_compute_node_only",
    sqlstate="0A000",
    evidence="DG/c_SQL_functions_compute_node_only",
    refused="SELECT LISTAGG(nspname, ',') FROM pg_namespace",
    accepted="SELECT LISTAGG(c, ',') FROM t",
)
def compute_node_functions(statement: Statement) -> int | None:
    """`LISTAGG`, `MEDIAN` and percentiles in a statement that reads no table of a user."""
    return None if statement.on_compute_nodes else next(called(statement, COMPUTE_ONLY), None)


@rule(
    glance=lambda glance: any(word.startswith(("pg_", "information_schema")) for word in glance.words),
    message=NOT_ON_TABLES,
    wording=NOT_ON_TABLES_WORDING,
    sqlstate="0A000",
    evidence="DG/c_join_PG",
    refused="INSERT INTO t (c) SELECT table_name FROM information_schema.tables",
    accepted="SELECT table_name FROM information_schema.tables",
)
def catalog_with_tables(statement: Statement) -> int | None:
    """The catalog (`pg_…`, `information_schema`) in a statement that reads or writes users' tables."""
    if not statement.on_compute_nodes:
        return None
    kept = (each.at for each in statement.relations if each.is_catalog and not each.names[-1].startswith(COMPUTE_VIEWS))
    return next(kept, None)


COMPUTE_VIEWS = ("stl_", "stv_", "svl_", "svv_", "svcs_", "sys_")


@rule(
    " ".join(LISTS),
    message=NOT_ON_TABLES,
    wording=NOT_ON_TABLES_WORDING,
    sqlstate="0A000",
    evidence=f"{UNSUPPORTED}; AWS agent toolkit for Redshift, functions and types",
    refused="SELECT STRING_AGG(c, ',') FROM t",
    accepted="SELECT LISTAGG(c, ',') FROM t",
)
def array_functions(statement: Statement) -> int | None:
    """Functions that give or take arrays or JSON values: `ARRAY_AGG`, `STRING_AGG`, `JSON_AGG`, `UNNEST`."""
    allowed = OF_THE_CATALOG if statement.on_catalog else frozenset()
    return next(called(statement, LISTS - allowed), None)


@rule(
    " ".join(DOCUMENTED_AS_UNSUPPORTED) + " current_catalog",
    message=NOT_ON_TABLES,
    wording=NOT_ON_TABLES_WORDING,
    sqlstate="0A000",
    evidence=UNSUPPORTED,
    refused="SELECT FORMAT('%s', c) FROM t",
    accepted="SELECT 'a' || c FROM t",
)
def unsupported_functions(statement: Statement) -> int | None:
    """What AWS lists as unsupported: `FORMAT`, `EVERY`, `REGEXP_MATCHES`, `PG_SLEEP`, `CLOCK_TIMESTAMP`, `NEXTVAL`."""
    catalog = statement.first("current_catalog")
    return next(called(statement, DOCUMENTED_AS_UNSUPPORTED), None) if catalog is None else catalog


# By their beginnings. PostgreSQL keeps most of them from whoever is no superuser, as the session's role is not.
OF_THE_SERVER = (
    "binary_upgrade_",
    "dblink",
    "lo_",
    "loread",
    "lowrite",
    "pg_backup_",
    "pg_control_",
    "pg_copy_",
    "pg_create_",
    "pg_current_logfile",
    "pg_current_wal",
    "pg_drop_",
    "pg_event_trigger_",
    "pg_export_",
    "pg_extension_",
    "pg_file_",
    "pg_get_wal",
    "pg_hba_",
    "pg_ident_",
    "pg_import_",
    "pg_last_wal",
    "pg_log_",
    "pg_logical_",
    "pg_ls_",
    "pg_nextoid",
    "pg_promote",
    "pg_read_",
    "pg_relation_filepath",
    "pg_reload_conf",
    "pg_replication_",
    "pg_restore_",
    "pg_rotate_",
    "pg_show_",
    "pg_split_wal",
    "pg_start_",
    "pg_stat_file",
    "pg_stat_reset",
    "pg_stop_",
    "pg_switch_",
    "pg_sync_",
    "pg_tablespace_location",
    "pg_walfile",
    # These run a statement that no rule has read.
    "cursor_to_xml",
    "database_to_xml",
    "query_to_xml",
    "schema_to_xml",
    "table_to_xml",
    "ts_stat",
)


@rule(
    glance=lambda glance: any(word.startswith(OF_THE_SERVER) for word in glance.words),
    message="function {near} does not exist",
    sqlstate="42883",
    evidence="the function reference of the developer guide",
    refused="SELECT pg_read_file('/etc/passwd')",
    accepted="SELECT pg_backend_pid()",
)
def server_functions(statement: Statement) -> int | None:
    """The server's files, settings, logs and programs: `PG_READ_FILE`, `PG_LS_DIR`, `LO_IMPORT`, `PG_RELOAD_CONF`."""
    return next((at for at in statement.calls if statement.name(at).startswith(OF_THE_SERVER)), None)


@rule(
    "local_redshift",
    message='schema "{near}" does not exist',
    sqlstate="3F000",
    evidence="the schema is the stand-in's own, and some of its functions run a statement that no rule has read",
    refused="SELECT local_redshift.columns_of('SELECT 1')",
    accepted="SELECT COUNT(*) FROM t",
)
def functions_of_the_stand_in(statement: Statement) -> int | None:
    """What the stand-in has in a schema of its own."""
    names = (at for at in range(len(statement.tokens)) if statement.is_name(at) and statement.word(at + 1) == ".")
    return next((at for at in names if statement.name(at) == "local_redshift"), None)


CALL = re.compile(r"(?<![\w.$\"])([a-z_][\w$]*+)\s*+\(", re.DOTALL)
QUOTED_CALL = re.compile(r'"\s*+\(', re.DOTALL)
CALLED = KEYWORDS | LISTED | TYPES


def may_call_unknown(glance: Glance) -> bool:
    """Whether a name before a parenthesis is not among those known."""
    lower = glance.lower
    named = QUOTED_CALL.search(lower) is not None or "pg_catalog" in glance.words
    return named or not CALLED.issuperset(CALL.findall(lower))


@rule(
    glance=may_call_unknown,
    message="function {near} does not exist",
    sqlstate="42883",
    evidence="the function reference of the developer guide",
    refused="SELECT starts_with(c, 'a') FROM t",
    accepted="SELECT c LIKE 'a%' FROM t",
)
def unknown_functions(statement: Statement) -> int | None:
    """Any function that Redshift does not have. One of a user's has a schema, or a name that begins with `f_`."""
    if statement.on_catalog:
        return None
    of_the_leader = () if statement.on_compute_nodes else ("pg_",)
    for at in statement.calls:
        name = statement.name(at)
        if name not in CALLED and not name.startswith((*FAMILIES, *of_the_leader)):
            return at
    return None


@rule(
    "concat",
    message="function {near} takes two arguments",
    sqlstate="42883",
    evidence="DG/r_CONCAT",
    refused="SELECT CONCAT(c, 'x', c) FROM t",
    accepted="SELECT c || 'x' || c FROM t",
)
def concat_arguments(statement: Statement) -> int | None:
    """`CONCAT` of more or less than two."""
    for at in called(statement, frozenset({"concat"})):
        if len(arguments(statement, at)) != 2:  # noqa: PLR2004 - what it takes
            return at
    return None


@rule(
    "random",
    message="function {near} takes no arguments",
    sqlstate="42883",
    evidence="DG/r_RANDOM",
    refused="SELECT RANDOM(1, 6)",
    accepted="SELECT 1 + FLOOR(6 * RANDOM())",
)
def random_arguments(statement: Statement) -> int | None:
    """`RANDOM` with bounds."""
    return next((at for at in called(statement, frozenset({"random"})) if statement.word(at + 2) != ")"), None)


@rule(
    "date_trunc",
    message="function {near} takes two arguments",
    sqlstate="42883",
    evidence="DG/r_DATE_TRUNC",
    refused="SELECT DATE_TRUNC('day', GETDATE(), 'UTC')",
    accepted="SELECT DATE_TRUNC('day', CONVERT_TIMEZONE('UTC', GETDATE()))",
)
def date_trunc_arguments(statement: Statement) -> int | None:
    """`DATE_TRUNC` with a time zone."""
    most = 2
    calls = called(statement, frozenset({"date_trunc"}))
    return next((at for at in calls if len(arguments(statement, at)) > most), None)


@rule(
    "split_part",
    message="the position of {near} must be greater than 0",
    sqlstate="22023",
    evidence="DG/SPLIT_PART; dbt-labs/dbt-utils#557",
    refused="SELECT SPLIT_PART(c, '-', -1) FROM t",
    accepted="SELECT REVERSE(SPLIT_PART(REVERSE(c), '-', 1)) FROM t",
)
def split_part_from_the_end(statement: Statement) -> int | None:
    """`SPLIT_PART` with a position that is counted from the end."""
    for at in called(statement, frozenset({"split_part"})):
        if statement.word(arguments(statement, at)[-1][0]) == "-":
            return at
    return None


@rule(
    "substring",
    message="{near} takes a position, and no pattern",
    sqlstate="42883",
    evidence="DG/r_SUBSTRING",
    refused="SELECT SUBSTRING(c FROM '[0-9]+') FROM t",
    accepted="SELECT REGEXP_SUBSTR(c, '[0-9]+') FROM t",
)
def substring_pattern(statement: Statement) -> int | None:
    """`SUBSTRING` by a pattern: `FROM '…'`, `SIMILAR '…'` or a string as its second argument."""
    for at in called(statement, frozenset({"substring"})):
        for position in statement.level(at + 2, statement.partner.get(at + 1)):
            behind = statement.tokens[position + 1]
            if statement.words[position] in ("from", ",", "similar") and behind.kind == "literal":
                return at
    return None


# Redshift's booleans have no cast to a string. What a column is, the database knows alone.
