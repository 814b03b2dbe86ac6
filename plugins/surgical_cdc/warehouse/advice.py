"""The text of an error for a person: why the warehouse was not reached, or what it refuses, and what to do about it.

The command line, the log, the ledger and the alert all have it from here.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping

from botocore.exceptions import BotoCoreError, ClientError
from redshift_connector.error import Error

from surgical_cdc.errors import SurgicalCdcError, shortened
from surgical_cdc.warehouse.retries import of_network, server_answer

# What can come of opening a session or of running a statement in it. The driver raises a plain OSError where the server
# falls silent; the last two are AWS's, where it gives no token.
ERRORS = (SurgicalCdcError, Error, OSError, BotoCoreError, ClientError)

# By SQLSTATE, or its first two characters, the class; Redshift has 28000 for what is 28P01 in PostgreSQL.
ADVICE = {
    "22": (
        "A row has a value that the statement can not compute with. Correct the row in its source, or the SELECT, as in"
        " a / NULLIF(b, 0)."
    ),
    "28000": "Correct the login or the password of the Airflow connection, or create the user.",
    "28P01": "Correct the login or the password of the Airflow connection, or create the user.",
    "3D000": "Correct the schema of the Airflow connection, which is the database's name.",
    "42501": "Grant what is missing: `python -m surgical_cdc check` lists it.",
    "53300": "Wait until other sessions end, or raise the number of connections.",
    "57014": "An administrator, a queue's rule or statement_timeout has ended it; see SYS_QUERY_HISTORY.",
}


def refusal(error: BaseException) -> str:
    """Return an error in a sentence or two: what was refused or not reached, where, and what to do.

    Where it was is in the error's notes: the purpose of the statement, the address of the connection, the step.
    """
    if isinstance(error, SurgicalCdcError):
        return str(error)
    where = f" ({'; '.join(error.__notes__)})" if getattr(error, "__notes__", None) else ""
    answer = server_answer(error)
    if answer:
        return f"The warehouse refuses{where}: {_answered(answer)}"
    if not isinstance(error, ERRORS):
        return f"{type(error).__name__}{where}: {error}"
    if isinstance(error, BotoCoreError | ClientError):
        return (
            f"AWS gives no token: {str(error).rstrip('.')}. Check the Airflow connection aws_default, its region, and"
            " the policy of its identity (redshift:GetClusterCredentials, redshift-serverless:GetCredentials)."
        )
    cause = _cause(error)
    if isinstance(cause, OSError) and cause.filename is not None:
        file = shortened(str(cause.filename))
        return f"{file}: {cause.strerror}. Correct the path, or let the user who runs this read and write there."
    if not of_network(error):
        return f"The driver refuses{where}: {_said(error)}."
    return f"The warehouse can not be reached{where}: {_unreached(cause)}"


def _answered(answer: Mapping[str, str]) -> str:
    """Return the server's message and its detail, with what to do, or its SQLSTATE where that is not known."""
    code = answer.get("C", "")
    advice = ADVICE.get(code) or ADVICE.get(code[:2]) or f"SQLSTATE {code}."
    texts = [answer[field].rstrip(".") for field in ("M", "D") if answer.get(field)]
    return f"{'. '.join(texts)}. {advice}"


def _cause(error: BaseException) -> BaseException:
    """Return the error of the socket that the driver has wrapped, or the error itself."""
    return next((part for part in error.args if isinstance(part, OSError)), error)


def _unreached(error: BaseException) -> str:
    where = "the host and port of the Airflow connection"
    if isinstance(error, socket.gaierror):
        return "its host has no address. Correct the host of the Airflow connection."
    if isinstance(error, ConnectionRefusedError):
        return f"its port is closed. Check {where}, and that the cluster is not paused."
    if isinstance(error, TimeoutError):
        return f"it does not answer. Check {where}, the security group, and the route from here."
    if isinstance(error, ssl.SSLError):
        return f"{error}. Its certificate is not one of Amazon's, or not this host's: check {where}."
    said = _said(error)
    if "refuses SSL" in said:
        return 'it speaks no SSL. Only the stand-in does so: give the Airflow connection the extra {"ssl": false}.'
    return f"{said}. Check {where}."


def _said(error: BaseException) -> str:
    return (" ".join(str(part) for part in error.args) or type(error).__name__).rstrip(".")
