from __future__ import annotations

import gc
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.cli.commands import main
from surgical_cdc.dag.form import FormError, run_of
from surgical_cdc.errors import ConnectionSettingError
from surgical_cdc.warehouse.connection import connect
from tests.cli.refused_words import CASES, Command, Form, Setting
from tests.conftest import SHOP, airflow_connection
from tests.dag.test_dags import context_of

if TYPE_CHECKING:
    from local_redshift import LocalRedshift
    from tests.cli.refused_words import Refused


@pytest.mark.parametrize("case", CASES, ids=[case.title[:50] for case in CASES])
def test_what_can_not_be_followed_is_refused(
    case: Refused, redshift: LocalRedshift, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of each input a message says what is wrong with it and what is expected, without a stack trace or a secret."""
    if isinstance(case, Command):
        said = said_by_command(case, redshift, monkeypatch, capsys)
    elif isinstance(case, Form):
        said = said_by_form(case)
    else:
        assert isinstance(case, Setting)
        said = said_by_connection(case, redshift, monkeypatch)
    with warnings.catch_warnings():
        # The driver leaves the socket of a login that is refused to the garbage collection.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    assert case.is_said(said), said
    assert "Traceback" not in said
    assert redshift.password not in said
    assert "7349812" not in said


def said_by_command(
    case: Command, redshift: LocalRedshift, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """Return what the program says of a command line, which it must refuse."""
    project = () if "--project" in case.arguments else ("--project", str(SHOP))
    monkeypatch.setattr(sys, "argv", ["surgical_cdc", *case.arguments, *project])
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", airflow_connection(redshift, **case.connection))
    # Airflow's database, which has none of its tables here, is asked for no Variable.
    monkeypatch.setenv("AIRFLOW_VAR_SURGICAL_CDC_ALERTS", "[]")
    started = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        main()
    assert case.seconds is None or time.monotonic() - started < case.seconds
    assert ended.value.code == 1
    printed = capsys.readouterr()
    return printed.out if case.arguments[0] == "check" else printed.err


def said_by_form(case: Form) -> str:
    """Return the error of a run that was triggered so."""
    with pytest.raises(FormError) as raised:
        run_of(context_of(**case.conf), "token")
    return str(raised.value)


def said_by_connection(case: Setting, redshift: LocalRedshift, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the error of a session through a connection with such settings."""
    settings: dict[str, Any] = {"extra": {"ssl": False, **case.extra}, **case.settings}
    if "port" in case.extra:
        settings["port"] = None
    monkeypatch.setenv("AIRFLOW_CONN_UNDER_TEST", airflow_connection(redshift, **settings))
    with pytest.raises(ConnectionSettingError) as raised:
        connect("under_test", label="")
    return str(raised.value)
