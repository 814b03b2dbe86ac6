"""Who may open a session, and what a session may do to the machine that the stand-in runs on."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
from redshift_connector.core import Connection
from redshift_connector.error import ProgrammingError

from local_redshift import LocalRedshift, LocalRedshiftError
from local_redshift.testing import PASSWORD, administer, database_user
from local_redshift.testing import connect as connect_to
from local_redshift.wire.control import NAME as CONTROL

Rows = Callable[..., list[tuple[Any, ...]]]
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - that it is refused is what is tested
# What reads, writes or lists files, runs programs or changes the server, as PostgreSQL has it.
REACHING_OUT = [
    pytest.param("SELECT pg_read_file('/etc/passwd')", id="read"),
    pytest.param("SELECT pg_catalog.pg_read_file('/etc/passwd')", id="read-of-a-schema"),
    pytest.param("""SELECT "pg_read_file"('/etc/passwd')""", id="read-quoted"),
    pytest.param("SELECT a.a FROM pg_read_file('/etc/passwd') AS a (a)", id="read-as-table"),
    pytest.param("SELECT pg_read_file('/etc/passwd') FROM pg_class LIMIT 1", id="read-beside-the-catalog"),
    pytest.param("SELECT pg_read_binary_file('/etc/passwd')", id="read-binary"),
    pytest.param("SELECT pg_ls_dir('/')", id="list"),
    pytest.param("SELECT pg_ls_logdir()", id="list-logs"),
    pytest.param("SELECT size FROM pg_stat_file('/etc/passwd')", id="stat"),
    pytest.param("SELECT pg_hba_file_rules()", id="access-rules"),
    pytest.param("SELECT lo_import('/etc/passwd')", id="import"),
    pytest.param("SELECT lo_import('/etc/passwd') FROM pg_class LIMIT 1", id="import-beside-the-catalog"),
    pytest.param("SELECT lo_export(1, '/tmp/exported')", id="export"),
    pytest.param("COPY t FROM '/etc/passwd'", id="copy-from-file"),
    pytest.param("COPY t FROM $$/etc/passwd$$", id="copy-from-file-in-dollars"),
    pytest.param("COPY t TO '/tmp/copied'", id="copy-to-file"),
    pytest.param("COPY t FROM PROGRAM 'id'", id="copy-from-program"),
    pytest.param("COPY (SELECT 1) TO PROGRAM 'id'", id="copy-to-program"),
    pytest.param("ALTER SYSTEM SET work_mem = '1MB'", id="alter-system"),
    pytest.param("SELECT pg_reload_conf()", id="reload"),
    pytest.param("SELECT pg_rotate_logfile()", id="rotate"),
    pytest.param("SELECT pg_switch_wal()", id="switch"),
    pytest.param("CREATE EXTENSION dblink", id="extension"),
    pytest.param("CREATE FUNCTION f_c() RETURNS INT AS 'libc.so.6', 'getpid' LANGUAGE c", id="language-c"),
    pytest.param("CREATE FUNCTION f_i() RETURNS INT AS 'int4in' LANGUAGE internal", id="language-internal"),
    pytest.param("CREATE PROCEDURE reach() AS 'import os' LANGUAGE plpython3u", id="language-python"),
]


@pytest.fixture
def direct(redshift: LocalRedshift) -> Iterator[Any]:
    """The session of the warehouse's user beside the gateway, where no rule is asked."""
    host = redshift.administrator["host"]
    with closing(psycopg2.connect(host=host, dbname="dev", user=redshift.user, password=redshift.password)) as opened:
        opened.autocommit = True
        cursor = opened.cursor()
        cursor.execute("CREATE TEMP TABLE t (a VARCHAR)")
        yield cursor


@pytest.mark.parametrize("statement", REACHING_OUT)
def test_a_rule_refuses_what_reaches_out_of_the_database(rows: Rows, statement: str) -> None:
    """Redshift has none of it: each is refused by a rule, before PostgreSQL sees it."""
    rows("CREATE TEMP TABLE t (a VARCHAR)")
    with pytest.raises(ProgrammingError) as raised:
        rows(statement)
    assert "The rule " in raised.value.args[0]["D"]


@pytest.mark.parametrize("statement", REACHING_OUT)
def test_the_user_lacks_what_reaches_out_of_the_database(direct: Any, statement: str) -> None:
    """Where no rule is asked, as in the body of a procedure, PostgreSQL refuses it to the user."""
    with pytest.raises(psycopg2.Error) as raised:
        direct.execute(statement)
    # An extension, a language and a renamed parameter are not there at all.
    assert raised.value.pgcode in {"42501", "0A000", "42704", "58P01"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("COPY (SELECT 1) TO PROGRAM ''touch {}''", id="program"),
        pytest.param("COPY (SELECT 1) TO ''{}''", id="file"),
        pytest.param("PERFORM lo_export(lo_from_bytea(0, ''x''), ''{}'')", id="large-object"),
    ],
)
def test_a_procedure_runs_no_shell(rows: Rows, session: Connection, tmp_path: Path, body: str) -> None:
    """The body of a procedure is not read by the rules; what it does is done as the user, who may not."""
    tmp_path.chmod(0o777)
    written = tmp_path / "written"
    rows(f"CREATE PROCEDURE reach_out() AS 'BEGIN {body.format(written)}; END' LANGUAGE plpgsql")
    with pytest.raises(ProgrammingError, match="42501"):
        rows("CALL reach_out()")
    session.rollback()
    assert not written.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT rolpassword FROM pg_authid",
        "SET ROLE rdsdb",
        "SET SESSION AUTHORIZATION rdsdb",
        "SET SESSION AUTHORIZATION airflow",
        "ALTER USER rdsdb PASSWORD 'Abc12345'",
        "CREATE ROLE another SUPERUSER",
        "ALTER ROLE awsuser SUPERUSER",
        "GRANT iam TO awsuser",
        "GRANT pg_execute_server_program TO awsuser",
        "SELECT local_redshift.text_to_varchar('pg_authid'), rolpassword FROM pg_authid",
    ],
)
def test_the_user_gets_no_more(direct: Any, statement: str) -> None:
    """There is no way for the user to the administrator, to other passwords, or to roles that may more."""
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        direct.execute(statement)


def test_the_catalog_keeps_its_types(direct: Any, redshift: LocalRedshift) -> None:
    """What the stand-in does in the catalog for a new table, nobody makes it do to the catalog itself."""
    direct.execute("SELECT local_redshift.text_to_varchar('pg_catalog.pg_authid')")
    with closing(psycopg2.connect(**redshift.administrator)) as administrator, administrator.cursor() as cursor:
        cursor.execute(
            "SELECT atttypid::REGTYPE::TEXT FROM pg_attribute"
            " WHERE attrelid = 'pg_authid'::REGCLASS AND attname = 'rolpassword'"
        )
        assert cursor.fetchall() == [("text",)]


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({"dbname": "airflow"}, "FATAL", 'database "airflow" does not exist'),
        ({"dbname": "postgres"}, "FATAL", 'database "postgres" does not exist'),
        ({"dbname": "template1"}, "FATAL", 'database "template1" does not exist'),
        ({"dbname": "airflow", "user": "airflow"}, "FATAL", 'database "airflow" does not exist'),
        ({"user": "airflow"}, "FATAL", 'password authentication failed for user "airflow"'),
        ({"user": "rdsdb"}, "FATAL", 'password authentication failed for user "rdsdb"'),
        ({"password": "wrong"}, "FATAL", 'password authentication failed for user "awsuser"'),
        ({"password": ""}, "fe_sendauth", "no password supplied"),
    ],
)
def test_the_gateway_admits_the_warehouse_alone(
    redshift: LocalRedshift, settings: dict[str, str], code: str, message: str
) -> None:
    """Other databases do not exist there, the stand-in's own roles can not log in, and a password is checked."""
    own = {"dbname": "dev", "user": redshift.user, "password": redshift.password}
    with pytest.raises(psycopg2.OperationalError, match=f"{code}: .*{message}"):
        psycopg2.connect(host=redshift.host, port=redshift.port, **{**own, **settings})


@pytest.mark.parametrize("options", [{}, {"lenient": True}])
def test_a_parameter_that_comes_twice_opens_no_other_door(tmp_path: Path, options: dict[str, bool]) -> None:
    """PostgreSQL takes the last of two; the gateway looks at the same one, and hands on no other."""
    with LocalRedshift(data=tmp_path / "data", port=0, **options) as redshift:
        for twice in (b"user\0awsuser\0user\0rdsdb\0database\0dev", b"user\0rdsdb\0database\0dev\0database\0airflow"):
            assert b"FATAL" in answer_to(redshift, twice)
        assert b"FATAL" not in answer_to(redshift, b"user\0rdsdb\0user\0awsuser\0database\0airflow\0database\0dev")


def answer_to(redshift: LocalRedshift, parameters: bytes) -> bytes:
    """Return what the gateway says to a startup packet."""
    body = (196608).to_bytes(4, "big") + parameters + b"\0\0"
    with socket.create_connection((redshift.host, redshift.port), timeout=10) as client:
        client.sendall((len(body) + 4).to_bytes(4, "big") + body)
        return client.recv(4096)


def test_users_give_their_own_password(redshift: LocalRedshift) -> None:
    """A user whom a session makes logs in by the password that was said, and by no other; without one by none."""
    with database_user(redshift, "reader") as settings:
        options = {"host": settings["host"], "port": settings["port"], "dbname": "dev", "user": "reader"}
        psycopg2.connect(**options, password=PASSWORD).close()
        for password in ("x", redshift.password):
            with pytest.raises(psycopg2.OperationalError, match='password authentication failed for user "reader"'):
                psycopg2.connect(**options, password=password)
        administer(redshift, "ALTER USER reader PASSWORD NULL")
        with pytest.raises(psycopg2.OperationalError, match='password authentication failed for user "reader"'):
            psycopg2.connect(**options, password=PASSWORD)
        administer(redshift, "GRANT iam TO reader")
        psycopg2.connect(**options, password="of a token").close()


def test_the_user_is_a_superuser_of_the_warehouse(rows: Rows, session: Connection) -> None:
    """As on Redshift the user makes schemas and users, and does with the users' tables what they do."""
    session.autocommit = True
    rows("CREATE USER maker PASSWORD 'Abc12345'")
    rows("CREATE SCHEMA made AUTHORIZATION maker")
    rows("SET SESSION AUTHORIZATION maker")
    assert rows("SELECT CURRENT_USER") == [("maker",)]
    rows("CREATE TABLE made.t AS SELECT 1 AS a")
    rows("SET SESSION AUTHORIZATION DEFAULT")
    rows("INSERT INTO made.t VALUES (2)")
    assert rows("SELECT SUM(a) FROM made.t") == [(3,)]
    rows("ALTER TABLE made.t OWNER TO awsuser")
    rows("DROP SCHEMA made CASCADE")
    rows("DROP USER maker")


def test_the_password_is_made_once_and_kept(tmp_path: Path) -> None:
    """Each data folder has a random password that outlasts a restart; one's own takes its place."""
    data = tmp_path / "data"
    with LocalRedshift(data=data, port=0) as first:
        made = first.password
        connect_to(first).close()
    with LocalRedshift(data=tmp_path / "other", port=0) as other:
        assert len(made) == len(other.password) == 24
        assert other.password != made
    with LocalRedshift(data=data, port=0) as second:
        assert second.password == made
        connect_to(second).close()
    with LocalRedshift(data=data, port=0, password="my ówn") as third:
        assert third.password == "my ówn"
        connect_to(third).close()
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(host=third.host, port=third.port, dbname="dev", user="awsuser", password=made)


def test_what_shows_statements_or_secrets_is_its_owners_alone(tmp_path: Path) -> None:
    """Password, log, recording and sockets: nobody else on the machine can read or reach them, also where they were."""
    file = tmp_path / "statements.jsonl"
    file.touch(mode=0o644)
    with LocalRedshift(data=tmp_path / "data", port=0, record=file) as redshift:
        socket_folder = Path(redshift.administrator["host"])
        files = [redshift.data / "password", redshift.data / "postgres.log", file]
        assert {path.name: stat.filemode(path.stat().st_mode)[4:] for path in files} == {
            path.name: "------" for path in files
        }
        assert stat.filemode(socket_folder.stat().st_mode) == "drwx------"
        assert (socket_folder / CONTROL).is_socket()
        log = (redshift.data / "postgres.log").read_text()
        assert redshift.password not in log
        words = [word for each in psutil.process_iter(["cmdline"]) for word in each.info["cmdline"] or []]
        assert str(redshift.data) in words
        assert redshift.password not in words


@pytest.mark.parametrize("host", [EVERY_ADDRESS, ""])
def test_no_address_beyond_this_machine_without_a_password(tmp_path: Path, host: str) -> None:
    """Whoever opens the port to others chooses the password; the one that is made is for this machine."""
    with pytest.raises(LocalRedshiftError, match=r"no password is given(.|\n)*To do: set .*LOCAL_REDSHIFT_PASSWORD"):
        LocalRedshift(data=tmp_path / "data", port=0, host=host).start()
    assert not (tmp_path / "data").exists()


def test_an_address_beyond_this_machine_with_a_password(tmp_path: Path) -> None:
    """With a password of one's own it listens wherever it is told to."""
    with LocalRedshift(data=tmp_path / "data", port=0, host=EVERY_ADDRESS, password="Chosen1") as redshift:
        connect_to(redshift).close()


def test_the_command_takes_the_password_from_its_environment(tmp_path: Path) -> None:
    """A password of one's own is in the environment, is kept, and is not printed; what is none is refused."""
    command = [sys.executable, "-m", "local_redshift", "--port", "0", "--data", str(tmp_path / "data")]
    environment = {**os.environ, "LOCAL_REDSHIFT_PASSWORD": "Chosen1"}
    running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    with running:
        assert running.stdout is not None
        line = running.stdout.readline()
        running.terminate()
    assert "ready on" in line
    assert "Chosen1" not in line
    assert (tmp_path / "data" / "password").read_text() == "Chosen1\n"
    environment["LOCAL_REDSHIFT_PASSWORD"] = "two\nlines"
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "the password can not be used" in ended.stderr
    assert "two" not in ended.stderr


def test_a_data_folder_of_an_older_version_is_refused(tmp_path: Path) -> None:
    """Its user is a superuser for good; the message says what to do, and nothing in the folder is changed."""
    data = tmp_path / "data"
    LocalRedshift(data=data, port=0).start().stop()
    rules = data / "postgres" / "pg_hba.conf"
    rules.write_text("local all all trust\n")
    with pytest.raises(LocalRedshiftError, match=r"made by an older version(.|\n)*To do: remove the folder"):
        LocalRedshift(data=data, port=0).start()
    assert rules.read_text() == "local all all trust\n"
