"""What is refused of a command line, a trigger form and an Airflow connection, each with the message that it gets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.cli.refused_page import Refused

# No server listens there.
CLOSED_PORT = 9
LONG = "x" * 5000
# What the driver could bind is less.
MANY_KEYS = ",".join(map(str, range(40_000)))


@dataclass(frozen=True)
class Command(Refused):
    """A command line, after the program's name; `connection` are settings beside the stand-in's."""

    arguments: tuple[str, ...]
    connection: dict[str, Any] = field(default_factory=dict)
    # At most, where the fault was that it hung.
    seconds: float | None = None


@dataclass(frozen=True)
class Form(Refused):
    """What a run of the vendors' DAG was triggered with."""

    conf: dict[str, Any]


@dataclass(frozen=True)
class Setting(Refused):
    """Extras of an Airflow connection, and its other settings, beside the stand-in's."""

    extra: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)


TEXT, WHOLE = "a string", "a whole number"
INTEGER, BOOLEAN = "a whole number, without quotes", "true or false, without quotes"
# Name, value, what the value is, what is expected.
WRONG_TYPES: list[tuple[str, object, str, str]] = [
    ("timeout", "soon", TEXT, INTEGER),
    ("timeout", "30", TEXT, INTEGER),
    ("timeout", True, "true or false", INTEGER),
    ("timeout", [30], "a list", INTEGER),
    ("timeout", 0.5, "a number with a fraction", INTEGER),
    ("ssl", "yes", TEXT, BOOLEAN),
    ("ssl", "true", TEXT, BOOLEAN),
    ("ssl", 1, WHOLE, BOOLEAN),
    ("tcp_keepalive", "off", TEXT, BOOLEAN),
    ("tcp_keepalive_idle", "x", TEXT, INTEGER),
    ("tcp_keepalive_interval", {}, "an object", INTEGER),
    ("tcp_keepalive_count", 2.5, "a number with a fraction", INTEGER),
    ("port", "5439", TEXT, INTEGER),
    ("max_prepared_statements", "many", TEXT, INTEGER),
    ("client_protocol_version", "2", TEXT, INTEGER),
    ("numeric_to_float", "no", TEXT, BOOLEAN),
    ("application_name", 5, WHOLE, TEXT),
    ("sslmode", True, "true or false", TEXT),
    ("iam", "false", TEXT, BOOLEAN),
    ("is_serverless", "yes", TEXT, BOOLEAN),
    ("cluster_identifier", 7, WHOLE, TEXT),
    ("serverless_token_duration_seconds", "900", TEXT, INTEGER),
    ("db_groups", "readers", TEXT, "a list of strings"),
    ("secret_access_key", 7_349_812, WHOLE, TEXT),
]
CONNECTIONS = [
    *(
        Setting(
            f"extra {name}: {value!r}",
            f"Airflow connection 'under_test': extra {name} is {found}. Expected {expected}.",
            {name: value},
        )
        for name, value, found, expected in WRONG_TYPES
    ),
    Setting(
        "extra timeout: negative",
        "Airflow connection 'under_test': extra timeout is less than 1. Expected seconds from 1 to 86400, or none"
        " for no bound.",
        {"timeout": -1},
    ),
    Setting(
        "extra timeout: 0",
        "Airflow connection 'under_test': extra timeout is less than 1. Expected seconds from 1 to 86400, or none"
        " for no bound.",
        {"timeout": 0},
    ),
    Setting(
        "extra timeout: too large",
        "Airflow connection 'under_test': extra timeout is more than 86400. Expected seconds from 1 to 86400, or"
        " none for no bound.",
        {"timeout": 10**20},
    ),
    Setting(
        "extra tcp_keepalive_idle: 0",
        "The driver does not take the settings of Airflow connection 'under_test': tcp_keepalive_idle must be"
        " positive. Correct its extras.",
        {"tcp_keepalive_idle": 0},
    ),
    Setting(
        "extra client_protocol_version: 9",
        "The driver does not take the settings of Airflow connection 'under_test': Invalid connection property"
        " setting. client_protocol_version must be in: [0, 1, 2]. Correct its extras.",
        {"client_protocol_version": 9},
    ),
    Setting(
        "extra: a list",
        "Airflow connection 'under_test' has an extra that is no JSON object. Expected one like {\"ssl\": false}.",
        {},
        {"extra": "[1]"},
    ),
    Setting(
        "extra: no JSON",
        "Airflow connection 'under_test' has an extra that is no JSON object. Expected one like {\"ssl\": false}.",
        {},
        {"extra": "ssl=false"},
    ),
    Setting(
        "extra that nobody reads",
        "Airflow connection 'under_test' has extras that redshift_connector does not know: sssl (ssl?). Correct or"
        " remove them.",
        {"sssl": False},
    ),
    Setting(
        "port: text",
        "Airflow can not read the connection 'under_test' in AIRFLOW_CONN_UNDER_TEST: Expected integer value for"
        " `port`, but got '543x' instead. Correct the variable.",
        {},
        {"port": "543x"},
    ),
    Setting(
        "port: negative",
        "Airflow connection 'under_test' has the port -1. Give it one from 1 to 65535.",
        {},
        {"port": -1},
    ),
    Setting(
        "host: a list",
        "AIRFLOW_CONN_UNDER_TEST, which holds Airflow connection 'under_test': host is a list. Expected a string.",
        {},
        {"host": ["localhost"]},
    ),
    Setting(
        "login: a number",
        "AIRFLOW_CONN_UNDER_TEST, which holds Airflow connection 'under_test': login is a whole number. Expected a"
        " string.",
        {},
        {"login": 5},
    ),
    Setting(
        "password: a number",
        "AIRFLOW_CONN_UNDER_TEST, which holds Airflow connection 'under_test': password is a whole number. Expected"
        " a string.",
        {},
        {"password": 7_349_812},
    ),
    Setting(
        "schema: a boolean",
        "AIRFLOW_CONN_UNDER_TEST, which holds Airflow connection 'under_test': schema is true or false. Expected a"
        " string.",
        {},
        {"schema": True},
    ),
]


NO_TIMES: list[tuple[str, object]] = [
    ("window_start", "yesterday"),
    ("window_end", "2026-02-30T00:00:00Z"),
    ("window_end", "2026-06-30T23:59:60Z"),
    ("window_end", "2026-03-01T25:00:00Z"),
    ("window_end", "0000-01-01T00:00:00Z"),
    ("window_end", "10000-01-01T00:00:00Z"),
    ("window_end", "01/03/2026"),
    ("window_end", "2026-03-01T00:00:00+25:00"),
    ("window_end", " "),
    ("window_end", "2026-03-01\x00"),
    ("window_start", 0),
    ("window_start", 1_772_323_200),
    ("window_start", ["2026-03-01"]),
    ("window_start", {}),
    ("window_start", True),
    ("window_start", False),
]
FORMS = [
    *(
        Form(
            f"{name}: {value!r}",
            f"{name} is {value!r}, which is no time. Expected one like 2024-02-29T06:30:00Z.",
            {name: value},
        )
        for name, value in NO_TIMES
    ),
    Form(
        "window_start: before the first year",
        "window_start is '0001-01-01T00:00:00+14:00', which in UTC is not in the years 1 to 9999. Expected one like"
        " 2024-02-29T06:30:00Z.",
        {"window_start": "0001-01-01T00:00:00+14:00"},
    ),
    Form(
        "window_end: after the last year",
        "window_end is '9999-12-31T23:59:59-12:00', which in UTC is not in the years 1 to 9999. Expected one like"
        " 2024-02-29T06:30:00Z.",
        {"window_end": "9999-12-31T23:59:59-12:00"},
    ),
    Form(
        "window: empty",
        "The window from 9999-12-31 00:00:00 to 2026-03-01 12:07:00 UTC is empty: window_start must be before"
        " window_end. Trigger the run again with another window_start, or leave it out to take all that is staged.",
        {"window_start": "9999-12-31"},
    ),
    Form(
        "dry_run: misspelled",
        "The run's conf has what the trigger form does not: dryrun (dry_run?). Fields: window_start, window_end,"
        " sources, dry_run, ignore_volume. Trigger the run again with these alone.",
        {"dryrun": True},
    ),
]


COMMANDS = [
    Command(
        "--end: no time",
        "--end is 'soon', which is no time. Expected one like 2024-02-29T06:30:00Z.",
        ("run", "--end", "soon"),
    ),
    Command(
        "--end: empty", "--end is '', which is no time. Expected one like 2024-02-29T06:30:00Z.", ("run", "--end", "")
    ),
    Command(
        "--start: a day that is none",
        "--start is '2026-02-30', which is no time. Expected one like 2024-02-29T06:30:00Z.",
        ("run", "--start", "2026-02-30"),
    ),
    Command(
        "--end: a leap second",
        "--end is '2026-06-30T23:59:60Z', which is no time. Expected one like 2024-02-29T06:30:00Z.",
        ("run", "--end", "2026-06-30T23:59:60Z"),
    ),
    Command(
        "--end: after the last year",
        "--end is '9999-12-31T23:59:59-12:00', which in UTC is not in the years 1 to 9999. Expected one like"
        " 2024-02-29T06:30:00Z.",
        ("run", "--end", "9999-12-31T23:59:59-12:00"),
    ),
    Command(
        "--start: not before --end",
        "The window from 2026-03-01 06:30:00 to 2026-03-01 06:30:00 UTC is empty: its start must be before its end.",
        ("run", "--start", "2026-03-01T12:00:00+05:30", "--end", "2026-03-01T06:30Z"),
    ),
    Command(
        "--window: no time",
        "--window is 'noon', which is no time. Expected one like 2024-02-29T06:30:00Z.",
        ("explain", "orders", "--window", "2026-03-01", "noon"),
    ),
    Command(
        "--window: empty",
        "The window from 2026-03-02 00:00:00 to 2026-03-01 00:00:00 UTC is empty: its start must be before its end.",
        ("explain", "orders", "--window", "2026-03-02", "2026-03-01"),
    ),
    Command(
        "--source: unknown",
        "No source 'order' in project shop (…). Known: customers, order_lines, orders, products.",
        ("run", "--source", "order"),
    ),
    Command(
        "--source: empty",
        "No source '' in project shop (…). Known: customers, order_lines, orders, products.",
        ("run", "--source", ""),
    ),
    Command(
        "fact: unknown",
        "No fact 'fact_ordr' in project shop (…). Known: fact_line, fact_order.",
        ("verify", "fact_ordr"),
    ),
    Command("fact: empty", "No fact '' in project shop (…). Known: fact_line, fact_order.", ("refresh", "")),
    Command(
        "fact: control characters",
        "No fact 'fact\\x1b[2J\\n' in project shop (…). Known: fact_line, fact_order.",
        ("verify", "fact\x1b[2J\n"),
    ),
    Command("fact: very long", "No fact 'xxx…' in project shop (…). Known: fact_line, fact_order.", ("verify", LONG)),
    Command(
        "source: unknown",
        "No source 'orderz' in project shop (…). Known: customers, order_lines, orders, products.",
        ("explain", "orderz"),
    ),
    Command(
        "source: empty",
        "No source '' in project shop (…). Known: customers, order_lines, orders, products.",
        ("explain", ""),
    ),
    Command(
        "column: unknown",
        "Source orders has no column 'nota'. Known: order_id, customer_id, status, total, weight, gift, note,"
        " delivery_on, placed_at, changed_at.",
        ("explain", "orders.nota"),
    ),
    Command(
        "column: empty",
        "Source orders has no column ''. Known: order_id, customer_id, status, total, weight, gift, note,"
        " delivery_on, placed_at, changed_at.",
        ("explain", "orders."),
    ),
    Command(
        "column: of a column",
        "Source orders has no column 'note.x'. Known: order_id, customer_id, status, total, weight, gift, note,"
        " delivery_on, placed_at, changed_at.",
        ("explain", "orders.note.x"),
    ),
    Command(
        "--keys: only commas",
        "--keys ' , ' names no key of orders. Expected keys with commas, as in 1,2,3.",
        ("explain", "orders", "--keys", " , "),
    ),
    Command(
        "--keys: more than the driver binds",
        "--keys has 40000 keys of orders. The driver binds 32767 values in a statement: ask for 32765 keys at most.",
        ("explain", "orders", "--keys", MANY_KEYS),
    ),
    Command(
        "--project: missing",
        "'/nowhere' is no folder. Expected --project and the folder of a dbt project, in which dbt_project.yml lies.",
        ("compile", "--project", "/nowhere"),
    ),
    Command(
        "--project: a file",
        "'/etc/hostname' is no folder. Expected --project and the folder of a dbt project, in which dbt_project.yml"
        " lies.",
        ("compile", "--project", "/etc/hostname"),
    ),
    Command(
        "--project: below a file",
        "'/etc/hostname/sql' is no folder. Expected --project and the folder of a dbt project, in which"
        " dbt_project.yml lies.",
        ("compile", "--project", "/etc/hostname/sql"),
    ),
    Command(
        "--project: empty",
        "dbt_project.yml: does not exist. Expected the folder of a dbt project.",
        ("compile", "--project", ""),
    ),
    Command(
        "--project: a name too long",
        "'xxx…': File name too long. Correct the path, or let the user who runs this read and write there.",
        ("compile", "--project", LONG),
    ),
    Command(
        "--conn-id: unknown",
        "Airflow knows no connection 'nowhere'. Add one of type redshift under that name (`airflow connections"
        " add`), or set 'AIRFLOW_CONN_NOWHERE'.",
        ("release", "--conn-id", "nowhere"),
    ),
    Command(
        "--conn-id: empty",
        "Airflow knows no connection ''. Add one of type redshift under that name (`airflow connections add`), or"
        " set 'AIRFLOW_CONN_'.",
        ("release", "--conn-id", ""),
    ),
    Command(
        "--conn-id: control characters",
        "Airflow knows no connection 'a\\nb'. Add one of type redshift under that name (`airflow connections add`),"
        " or set 'AIRFLOW_CONN_A\\nB'.",
        ("release", "--conn-id", "a\nb"),
    ),
    Command(
        "--conn-id: very long",
        "Airflow knows no connection 'xxx…'. Add one of type redshift under that name (`airflow connections add`),"
        " or set 'AIRFLOW_CONN_XXX…'.",
        ("release", "--conn-id", LONG),
    ),
    *(
        Command(
            f"{command[0]}: closed port",
            "…The warehouse can not be reached (Airflow connection 'redshift_default', 127.0.0.1:9): its port is"
            " closed."
            " Check the host and port of the Airflow connection, and that the cluster is not paused.",
            command,
            {"host": "127.0.0.1", "port": CLOSED_PORT},
            seconds=10,
        )
        for command in (
            *(("check",), ("explain", "orders"), ("run",), ("refresh",), ("verify",), ("release",)),
            ("compile", "--conn-id", "redshift_default"),
        )
    ),
    Command(
        "host that is none",
        "The warehouse can not be reached (Airflow connection 'redshift_default', warehouse.invalid:…): its host"
        " has no address. Correct the host of the Airflow connection.",
        ("verify",),
        {"host": "warehouse.invalid"},
        seconds=20,
    ),
    Command(
        "wrong password",
        "The warehouse refuses (Airflow connection 'redshift_default', 127.0.0.1:…): password authentication failed"
        ' for user "awsuser". Correct the login or the password of the Airflow connection, or create the user.',
        ("verify",),
        {"password": "Wr0ng-password"},
        seconds=10,
    ),
    Command(
        "database that is none",
        "The warehouse refuses (Airflow connection 'redshift_default', 127.0.0.1:…): database \"nodb\" does not"
        " exist. Correct the schema of the Airflow connection, which is the database's name.",
        ("verify",),
        {"schema": "nodb"},
    ),
]

CASES: list[Refused] = [*CONNECTIONS, *FORMS, *COMMANDS]
