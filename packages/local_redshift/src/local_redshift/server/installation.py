"""What is written into the databases: Redshift's functions, views and settings.

The files in `sql/` carry a version, their hash, which the database keeps; a data folder of an older
checkout gets the newest at its next start.
"""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg2.extensions import encrypt_password

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg2.extensions import connection

    Connect = Callable[[str], connection]

DATABASE = "dev"
METADATA = "airflow"
# The user of every session through the gateway who has no other: a superuser on Redshift, in PostgreSQL none.
USER = "awsuser"
# Owns what Redshift itself owns, under the name that it has there.
ADMINISTRATOR = "rdsdb"
# Users whom the administrator makes members of this role are not asked for a password: there is no IAM here.
TOKEN_ROLE = "iam"  # noqa: S105 - no password
FILES = sorted((Path(__file__).parent / "sql").glob("*.sql"), key=lambda file: file.name)


def install(connect: Connect, password: str) -> None:
    """Make the roles and the two databases, and bring what is installed in the warehouse up to date.

    Args:
        connect: gives an administrator's connection to the database of a name.
        password: of the warehouse's user from now on.
    """
    with closing(connect("postgres")) as administrator, administrator.cursor() as cursor:
        administrator.autocommit = True
        cursor.execute("SELECT datname FROM pg_database")
        existing = {name for (name,) in cursor.fetchall()}
        if METADATA not in existing:
            cursor.execute("CREATE ROLE airflow LOGIN")
            cursor.execute("CREATE DATABASE airflow OWNER airflow STRATEGY file_copy")
        if DATABASE not in existing:
            cursor.execute("CREATE ROLE iam")
            cursor.execute("CREATE ROLE awsuser LOGIN CREATEROLE")
            # A superuser there may do what the users may whom it makes, and become each of them.
            cursor.execute("ALTER ROLE awsuser SET createrole_self_grant = 'set, inherit'")
            cursor.execute("CREATE DATABASE dev OWNER awsuser STRATEGY file_copy")
        # Encrypted here, so that PostgreSQL's log can not show it.
        kept = encrypt_password(password, USER, scope=administrator, algorithm="md5")
        cursor.execute("ALTER ROLE awsuser PASSWORD %s", (kept,))
    texts = [file.read_text(encoding="utf-8") for file in FILES]
    version = hashlib.sha256("\0".join(texts).encode()).hexdigest()
    with closing(connect(DATABASE)) as administrator, administrator, administrator.cursor() as cursor:
        cursor.execute("SELECT to_regclass('local_redshift.installed') IS NOT NULL")
        if cursor.fetchone() == (True,):
            cursor.execute("SELECT version FROM local_redshift.installed")
            if cursor.fetchone() == (version,):
                return
        for text in texts:
            cursor.execute(text)
        cursor.execute("INSERT INTO local_redshift.installed VALUES (%s)", (version,))
