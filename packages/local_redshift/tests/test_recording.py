"""What clients send is recorded in a file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
from redshift_connector.error import ProgrammingError

from local_redshift import LocalRedshift, LocalRedshiftError
from local_redshift.testing import connect as connect_to

OTHER_PROCESS = """
import json, sys
import redshift_connector
connection = redshift_connector.connect(**json.loads(sys.argv[1]))
connection.cursor().execute("SELECT NVL(NULL, %s::INT) AS elsewhere", (1,))
connection.close()
"""


def recorded(file: Path) -> list[str]:
    """Return the statements in a recording."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert all(list(line) == ["statement"] for line in lines)
    return [line["statement"] for line in lines]


def test_each_distinct_statement_is_recorded_as_it_was_sent(tmp_path: Path) -> None:
    """Statements of several sessions, processes and drivers are in the file once, before they are translated."""
    file = tmp_path / "new" / "statements.jsonl"
    with LocalRedshift(data=tmp_path / "data", port=0, record=file) as redshift:
        for _session in range(2):
            connection = connect_to(redshift)
            cursor = connection.cursor()
            cursor.execute("SELECT NVL(%s::INT, 2)", (1,))
            # It is in the file as soon as it is answered.
            assert recorded(file) == ["begin transaction", "SELECT NVL($1::INT, 2)"]
            connection.close()
        with pytest.raises(ProgrammingError, match="42P01"):
            (connection := connect_to(redshift)).cursor().execute("SELECT 'ü\n' FROM missing")
        connection.close()
        subprocess.run([sys.executable, "-c", OTHER_PROCESS, json.dumps(redshift.settings)], check=True)
        # psycopg2 speaks the simple protocol.
        simple = psycopg2.connect(
            host=redshift.host, port=redshift.port, dbname="dev", user=redshift.user, password=redshift.password
        )
        simple.cursor().execute("SELECT NVL(NULL, 3)")
        simple.close()
    assert recorded(file) == [
        "begin transaction",
        "SELECT NVL($1::INT, 2)",
        "SELECT 'ü\n' FROM missing",
        "SELECT NVL(NULL, $1::INT) AS elsewhere",
        "BEGIN",
        "SELECT NVL(NULL, 3)",
    ]


def test_a_recording_is_continued(tmp_path: Path) -> None:
    """A file that exists keeps what it has."""
    file = tmp_path / "statements.jsonl"
    file.write_text('{"statement": "SELECT 1"}\n')
    with LocalRedshift(data=tmp_path / "data", port=0, record=file) as redshift:
        connection = connect_to(redshift)
        connection.cursor().execute("SELECT 2")
        connection.close()
    assert recorded(file) == ["SELECT 1", "begin transaction", "SELECT 2"]


def test_a_file_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    """The stand-in does not start without its recording."""
    with pytest.raises(LocalRedshiftError, match=r"can not be recorded(.|\n)*To do: give --record a file"):
        LocalRedshift(data=tmp_path / "data", port=0, record=tmp_path).start()
