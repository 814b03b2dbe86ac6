from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from redshift_connector.error import InterfaceError, ProgrammingError

from surgical_cdc.errors import DataError
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.refresh import refresh
from surgical_cdc.warehouse.advice import refusal
from surgical_cdc.warehouse.retries import run_step
from tests.conftest import at
from tests.random.one_model import one_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from surgical_cdc.contract.project import Project
    from tests.conftest import Site

ROW = {"id": 1, "customer_id": 0, "kind": 1, "status": 1, "updated_at": at(-5)}


@pytest.fixture
def divided(site: Callable[[Project], Site], tmp_path: Path) -> Site:
    """A project whose fact divides by a column."""
    project = one_model(
        tmp_path,
        "SELECT orders.id, 100 / orders.customer_id AS share FROM {{ source('live', 'orders') }} AS orders",
        "id share",
    )
    return site(project)


def test_an_error_in_an_update_names_fact_statement_and_remedy(divided: Site) -> None:
    """Of one row that stops a fact, whoever is called at night learns in which fact and in which of its statements."""
    run_cycle(divided.project, divided.connect, divided.run(at(-30), run_id="builds it"))
    divided.stage("orders", ROW)
    with pytest.raises(DataError) as caught:
        run_cycle(divided.project, divided.connect, divided.run())
    said = (
        "fact is not updated. The warehouse refuses (Fills scdc_recomputed; update.fact): division by zero. A row has a"
        " value that the statement can not compute with. Correct the row in its source, or the SELECT, as in"
        " a / NULLIF(b, 0). It comes of the rows of facts.fact with id: 1. What it reads stays staged for the next run."
    )
    assert refusal(caught.value) == said
    assert divided.rows("SELECT reason FROM cdc.runs WHERE result = 'failed'") == [(said,)]


def test_rows_that_stop_an_update_are_found_among_many(divided: Site) -> None:
    """Of a thousand affected keys up to five are named by each of which alone the update fails."""
    run_cycle(divided.project, divided.connect, divided.run(at(-30), run_id="builds it"))
    poison = {3, 500, 501, 777, 998, 1000}
    rows = [{**ROW, "id": key, "customer_id": 0 if key in poison else 1} for key in range(1, 1001)]
    divided.stage("orders", *rows)
    with pytest.raises(DataError, match=r"facts\.fact with id: 3, 500, 501, 777, 998\. What"):
        run_cycle(divided.project, divided.connect, divided.run())


def test_an_error_in_a_refresh_names_the_fact(divided: Site) -> None:
    """A refresh by hand fails with the same words."""
    divided.load("orders", ROW)
    with pytest.raises(ProgrammingError) as caught:
        run_step(divided.connect, "refresh.fact", partial(refresh, divided.project, "fact"))
    assert refusal(caught.value).startswith("The warehouse refuses (Fills fact; refresh.fact): division by zero. ")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(
            ProgrammingError({"C": "XX000", "M": "1023", "D": "Serializable isolation violation on table - 12."}),
            "The warehouse refuses: 1023. Serializable isolation violation on table - 12. SQLSTATE XX000.",
            id="detail and no advice",
        ),
        pytest.param(
            ProgrammingError({"C": "42501", "M": "permission denied for table orders"}),
            "The warehouse refuses: permission denied for table orders. Grant what is missing: `python -m surgical_cdc"
            " check` lists it.",
            id="advice",
        ),
        pytest.param(DataError("Two rows."), "Two rows.", id="an error of the engine"),
        pytest.param(
            InterfaceError("Prepared statement exceeds bind parameter limit 32767."),
            "The driver refuses: Prepared statement exceeds bind parameter limit 32767.",
            id="the driver",
        ),
        pytest.param(
            InterfaceError("communication error", ConnectionResetError(104, "Connection reset by peer")),
            "The warehouse can not be reached: 104 Connection reset by peer. Check the host and port of the Airflow"
            " connection.",
            id="the network",
        ),
        pytest.param(
            PermissionError(13, "Permission denied", "include/dictionary.yaml"),
            "'include/dictionary.yaml': Permission denied. Correct the path, or let the user who runs this read"
            " and write there.",
            id="a file",
        ),
        pytest.param(KeyError("total"), "KeyError: 'total'", id="a mistake of the engine"),
    ],
)
def test_an_error_is_a_sentence(error: Exception, said: str) -> None:
    """What the server says is told without the fields around it, and a mistake is not taken for a lost connection."""
    assert refusal(error) == said
