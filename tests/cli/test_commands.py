from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from surgical_cdc.cli import report
from surgical_cdc.cli.commands import app
from surgical_cdc.contract.project import load_project
from surgical_cdc.control import lease
from surgical_cdc.errors import UnsupportedQuery
from tests.conftest import ROOT, SHOP, at
from tests.random.one_model import one_model
from tests.support.bookshop import ORDER, open_shop
from tests.support.manifests import write_manifest

if TYPE_CHECKING:
    from typer.testing import Result

    from tests.conftest import Filled, Site


@pytest.fixture
def open_site(filled: Filled) -> Site:
    """The bookshop after a first cycle from the command line."""
    return filled(load_project(SHOP), first_cycle_by_command)


def first_cycle_by_command(shop: Site) -> None:
    """Open the shop, and run its first cycle from the command line."""
    open_shop(shop)
    assert call("run", "--end", "2026-03-01T12:00:00").exit_code == 0


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the bookshop's project, which dbt has compiled."""
    project = tmp_path / "sql"
    shutil.copytree(SHOP, project, ignore=shutil.ignore_patterns("target"))
    write_manifest(project)
    return project


def call(command: str, *arguments: str, project: Path = SHOP) -> Result:
    """Call a command on the bookshop, through the Airflow connection redshift_default."""
    return CliRunner().invoke(app, [command, *arguments, "--project", str(project)])


def shell(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call the program as a person does."""
    return subprocess.run(
        [sys.executable, "-m", "surgical_cdc", *arguments],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_run_prints_each_step_and_the_counts(shop: Site) -> None:
    """A cycle from the command line shows its steps while it works and its counts at the end."""
    open_shop(shop)
    result = call("run", "--end", "2026-03-01T12:00:00")
    assert result.exit_code == 0
    assert "detect.orders: 4 rows compared, 4 inserted in" in result.output
    assert "update.fact_order: built in full, 4 keys affected" in result.output
    assert "Window: staged before 2026-03-01 12:00:00 UTC. The baselines are synced." in result.output
    assert shop.rows("SELECT COUNT(*) FROM shop_public.fact_order") == [(4,)]


def test_run_does_one_thing_at_a_time_if_asked(shop: Site) -> None:
    """With --threads 1 the sources are compared in the contract's order; none is no number of threads."""
    open_shop(shop)
    said = call("run", "--end", "2026-03-01T12:00:00", "--threads", "1").output
    assert re.findall(r"^detect\.(\w+): .* compared", said, re.MULTILINE) == list(shop.project.sources)
    refused = call("run", "--threads", "0")
    assert refused.exit_code == 2
    assert "--threads" in refused.output


def test_window_and_sources_are_those_asked_for(open_site: Site) -> None:
    """--start, --end and --source narrow the run as the trigger form does."""
    for key, minute in ((5, 10), (6, 40), (7, 70)):
        open_site.stage("orders", {**ORDER, "order_id": key, "changed_at": at(minute)})
    window = ("--start", "2026-03-01T12:30Z", "--end", "2026-03-01T18:30:00+05:30")
    result = call("run", *window, "--source", "orders")
    assert "detect.orders: 1 rows compared, 1 inserted, 1 waiting (as far as 2026-03-01 13:10:00) in" in result.output
    assert "detect.customers" not in result.output


def test_empty_window_is_refused() -> None:
    """A window that ends before it starts is an error, before anything is connected to."""
    result = shell("run", "--start", "2026-03-02", "--end", "2026-03-01")
    assert result.returncode == 1
    assert result.stderr.startswith("The window from 2026-03-02 00:00:00 to 2026-03-01 00:00:00 UTC is empty")


def test_dry_run_writes_nothing(open_site: Site) -> None:
    """--dry-run shows what would change and leaves the facts alone."""
    open_site.stage("orders", {**ORDER, "order_id": 5, "status": "paid", "changed_at": at(10)})
    result = call("run", "--dry-run")
    assert "detect.orders: 5 rows compared, 1 inserted" in result.output
    assert "Dry run: nothing was written." in result.output
    assert open_site.rows("SELECT COUNT(*) FROM shop_public.fact_order") == [(4,)]


def test_check_has_a_line_for_each_part(shop: Site) -> None:
    """When all is well every part says what it has looked at."""
    result = call("check")
    assert result.exit_code == 0
    assert [line.partition(":")[0] for line in result.stdout.splitlines()] == [
        "ok      models",
        "ok      dictionary",
        "ok      alerts",
        "ok      connection",
        "ok      privileges",
        "ok      isolation",
        "ok      contract",
        "ok      keys",
        "ok      collations",
        "ok      baselines",
        "ok      statements",
    ]
    assert "4 sources are as the project describes them; the first run builds fact_line, fact_order" in result.output


def test_check_goes_on_after_a_failure(shop: Site) -> None:
    """One part that fails does not hide the others, and the exit code says that something is wrong."""
    shop.execute("ALTER TABLE shop_raw.orders DROP COLUMN gift")
    result = call("check")
    assert result.exit_code == 1
    assert "ok      models: 2 of 2 facts are maintained incrementally" in result.output
    assert "FAILED  contract: The warehouse differs from the contract" in result.output
    assert "shop_raw.orders.gift: missing, expected boolean" in result.output


def test_explain_shows_what_a_column_feeds_and_would_change(open_site: Site) -> None:
    """The dictionary's answer and the counts of a dry run stand together; nothing is written."""
    open_site.stage("customers", {"customer_id": 7, "name": "Asha R", "country": "IN", "changed_at": at(10)})
    result = call("explain", "customers.name")
    assert result.exit_code == 0
    assert "customer_name" in result.output
    assert "update.fact_order: 2 keys affected, rows 0 inserted, 2 updated, 0 deleted" in result.output
    assert "fact_line" not in result.output
    assert open_site.rows("SELECT COUNT(*) FROM shop_public.fact_order WHERE customer_name = 'Asha R'") == [(0,)]


def test_explain_shows_the_way_to_the_facts_key(open_site: Site) -> None:
    """From a source that is joined to, the predicates lead to the fact's key."""
    assert "customers, by customers.customer_id = orders.customer_id, orders: orders.order_id is its order_id" in (
        call("explain", "customers.name").output
    )


@pytest.mark.parametrize(
    ("sql", "path"),
    [
        pytest.param(
            "SELECT c.id, r.city_id AS n FROM live.customers c LEFT JOIN live.customers r"
            " ON r.city_id = c.city_id AND r.id <> c.id",
            "customers AS r, by r.city_id = c.city_id AND r.id <> c.id, customers AS c: c.id is its id",
            id="joined with itself",
        ),
        pytest.param(
            "WITH known AS (SELECT c.id, c.referrer_id, c.city_id FROM live.customers c) SELECT c.id, r.city_id AS n"
            " FROM known c LEFT JOIN known r ON r.id = c.referrer_id",
            "customers AS r, by r.id = c.referrer_id, customers AS c: c.id is its id",
            id="a CTE used twice",
        ),
        pytest.param(
            "SELECT b.id, (SELECT MAX(c.city_id) FROM live.customers c WHERE c.referrer_id = b.id) AS n"
            " FROM (SELECT c.id FROM live.customers c) b",
            "customers AS c, by c.referrer_id = b.id, customers AS b: b.id is its id",
            id="an alias used twice",
        ),
    ],
)
def test_explain_tells_the_occurrences_of_a_source_apart(tmp_path: Path, sql: str, path: str) -> None:
    """Where a way leads over one source twice, each is called by its alias in the model."""
    said = report.paths(one_model(tmp_path, sql, "id n"), "customers", "")
    assert f"fact: {path}" in said.splitlines()


def test_explain_says_that_a_fact_is_rebuilt_in_full(tmp_path: Path) -> None:
    """A fact without a way to its key is named all the same, if it reads the column."""
    full = "unique_key='id', meta={'cdc': {'maintenance': 'full'}}"
    project = one_model(tmp_path, "SELECT c.id, c.city_id AS n FROM live.customers AS c", "id n", config=full)
    assert report.paths(project, "customers", "city_id") == "fact: it is rebuilt in full (maintenance: full)"
    assert report.paths(project, "customers", "joined") == ""


def test_explain_takes_keys_and_a_window(open_site: Site) -> None:
    """Only the chosen keys in the window are looked at; each cell that would change is shown with both values."""
    for key, minute in ((7, 10), (8, 10), (8, 20)):
        row = {"customer_id": key, "name": f"name of {minute}", "country": "IN", "changed_at": at(minute)}
        open_site.stage("customers", row)
    window = (f"{at(5):%Y-%m-%dT%H:%M:%S}", f"{at(15):%Y-%m-%dT%H:%M:%S}")
    said = call("explain", "customers", "--keys", "8, 9", "--window", *window).output
    assert "fact_order: rows that would be written: 0 inserted, 2 updated, 0 deleted; 2 cells" in said
    assert "updated 1: customer_name Bela → name of 10" in said
    assert "Asha" not in said
    assert "name of 20" not in said


def test_explain_counts_the_change_of_the_asked_column(open_site: Site) -> None:
    """What other columns of the staged rows would change is left out, and said to be."""
    row = {"customer_id": 7, "name": "Asha R", "country": "FR", "closed": False, "changed_at": at(10)}
    open_site.stage("customers", row, {**row, "customer_id": 9})
    said = call("explain", "customers.country").output
    assert "explain.customers: 1 of these rows by country" in said
    assert "0 inserted, 2 updated, 0 deleted; 2 cells of the updated ones would differ: country 2" in said
    assert "`explain customers` counts the other columns too" in said


def test_explain_names_keys_that_are_not_staged(open_site: Site) -> None:
    """A key without a staged row in the window, and what is no key at all, is told from one without changes."""
    open_site.stage("customers", {"customer_id": 9, "name": "Cleo", "country": "IN", "changed_at": at(20)})
    window = ("2026-03-01T09:00:00", f"{at(15):%Y-%m-%dT%H:%M:%S}")
    said = call("explain", "customers", "--keys", "7,x,9", "--window", *window).output
    assert "Not staged before 2026-03-01 12:15:00 UTC, from 2026-03-01 09:00:00 on: x, 9." in said


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(["--keys", " , "], "--keys ' , ' names no key of orders. Expected keys", id="commas"),
        pytest.param(["--keys", ""], "--keys '' names no key of orders", id="empty"),
        pytest.param(["--window", "2026-03-02", "2026-03-01"], "is empty: its start must be before", id="window"),
    ],
)
def test_explain_refuses_what_asks_for_nothing(arguments: list[str], problem: str) -> None:
    """No key, as of a variable that is not set, does not mean all; nothing is printed before it is refused."""
    result = shell("explain", "orders", *arguments, "--project", str(SHOP))
    assert (result.returncode, result.stdout) == (1, "")
    assert problem in result.stderr


def test_explain_says_what_a_run_left_behind(open_site: Site) -> None:
    """What a run that was never synced has done to a fact is taken back in the same count, and that is said."""
    open_site.execute("INSERT INTO cdc.pending__fact_order (anchor, token) VALUES (1, 'lost')")
    assert "Taking back what a run that was never synced did is counted too: fact_order." in (
        call("explain", "customers").output
    )


def test_explain_says_that_no_fact_reads_a_column(open_site: Site) -> None:
    """A column that feeds nothing is said to, in a sentence."""
    assert "No fact reads orders.note." in call("explain", "orders.note").output


def test_explain_names_the_known_columns() -> None:
    """A column that does not exist is an error in one message, without a stack trace."""
    result = shell("explain", "orders.nota", "--project", str(SHOP))
    assert result.returncode == 1
    assert result.stderr.startswith("Source orders has no column 'nota'. Known: order_id, customer_id, status")
    assert "Traceback" not in result.stderr


def test_undo_takes_back_what_history_tells(open_site: Site) -> None:
    """A row's history names the run; its undo says first what it would do, then does it, and is told of too."""
    open_site.stage("customers", {"customer_id": 7, "name": "Asha R", "country": "IN", "changed_at": at(10)})
    call("run", "--end", at(30).isoformat())
    head, changed = call("history", "customers", "7", "--column", "name").stdout.splitlines()
    assert changed == "  name: Asha → Asha R"
    run_key = head.rpartition(" updated by ")[2]
    dry = call("undo", run_key, "--dry-run")
    assert "updated 2: customer_name Asha R → Asha" in dry.stdout
    assert f"Takes back {run_key}. Dry run: nothing was written." in dry.stdout
    assert open_site.rows("SELECT name FROM shop_raw.customers WHERE customer_id = 7") == [("Asha R",)]
    done = call("undo", run_key)
    assert done.exit_code == 0
    assert f"Takes back {run_key}. The baselines are synced." in done.stdout
    assert open_site.rows("SELECT name FROM shop_raw.customers WHERE customer_id = 7") == [("Asha",)]
    assert "command_line/undo__" in call("history", "customers", "7", "--column", "name").stdout
    assert call("history", "customers", "70").stdout == "customers 70: nothing is kept of it.\n"


def test_verify_and_refresh(open_site: Site) -> None:
    """A difference is found, the exit code says so, and the command that the message names mends it."""
    assert "fact_order: equal, 4 rows" in call("verify", "fact_order").output
    open_site.execute("DELETE FROM shop_public.fact_order WHERE order_id = 1")
    result = call("verify")
    assert result.exit_code == 1
    assert "fact_order: DIFFERS, 3 rows where its SELECT gives 4; 1 of these are missing, 0" in result.output
    assert "python -m surgical_cdc refresh fact_order" in result.output
    assert "fact_order: 3 rows replaced by 4" in call("refresh", "fact_order").output
    assert call("verify").exit_code == 0


def test_compile_writes_what_check_accepts(copied: Path) -> None:
    """The folder is written once; --check fails and names the command when the models have moved on."""
    shutil.rmtree(copied / "cdc")
    written = call("compile", project=copied).output
    for name in ("contract.yaml", "dictionary.yaml", "lineage.md", "facts/fact_line.sql", "facts/fact_order.sql"):
        assert f"Wrote {copied}/cdc/{name}." in written
    assert "Wrote" not in call("compile", project=copied).output
    assert call("compile", "--check", project=copied).exit_code == 0
    model = copied / "models" / "marts" / "fact_line.sql"
    model.write_text(model.read_text().replace("products.price AS", "products.price * 2 AS"))
    write_manifest(copied)
    result = shell("compile", "--check", "--project", str(copied))
    assert result.returncode == 1
    assert f"{copied}/cdc/contract.yaml is not what the models say. Write it anew" in result.stderr
    assert f"python -m surgical_cdc compile --project {copied}" in result.stderr


def test_check_finds_a_model_that_was_edited_since_the_project_was_compiled(copied: Path) -> None:
    """Neither dbt nor its artifacts are needed for that: the contract has the checksums of the models."""
    shutil.rmtree(copied / "target")
    model = copied / "models" / "marts" / "fact_line.sql"
    model.write_text(model.read_text().replace("products.price AS", "products.price * 2 AS"))
    said = call("check", "--conn-id", "nowhere", project=copied).output
    assert f"FAILED  dictionary: models/marts/fact_line.sql is another than when {copied}/cdc was made from it" in said
    assert f"python -m surgical_cdc compile --project {copied}" in said


def test_compile_says_how_each_fact_is_maintained(copied: Path) -> None:
    """A line for each fact has its row key, its way of maintenance, and how many columns and sources it has."""
    output = call("compile", project=copied).output
    lines = [line.strip() for line in output.splitlines()]
    assert "fact_line (line_code): incremental; 5 columns from 2 sources" in lines
    assert "fact_order (order_id): incremental; 9 columns from 3 sources" in lines
    assert "2 facts, with their row keys, 2 of them maintained incrementally:" in lines


def test_compile_does_not_drop_a_fact_in_silence(copied: Path) -> None:
    """A model that lost its unique_key, by a misspelling say, is named, and nothing is written."""
    before = {file: file.read_bytes() for file in (copied / "cdc").rglob("*") if file.is_file()}
    for file in copied.rglob("*_schema.yml"):
        file.write_text(file.read_text().replace("unique_key", "unique_ky", 1))
    write_manifest(copied)
    result = shell("compile", "--project", str(copied))
    assert result.returncode == 1
    assert re.search(r"fact_(order|line) was a fact, and can not be one as it is: it needs a unique_key", result.stderr)
    assert before == {file: file.read_bytes() for file in (copied / "cdc").rglob("*") if file.is_file()}


def test_compile_remembers_which_facts_were_selected(copied: Path) -> None:
    """--select drops a fact with a warning, removes its SELECT, and holds until another --select."""
    chosen = call("compile", "--select", "fact_order", project=copied).output
    assert "Warning: fact_line is no fact any more, and nobody keeps its table up to date." in chosen
    assert f"Removed {copied}/cdc/facts/fact_line.sql." in chosen
    assert list(load_project(copied).facts) == ["fact_order"]
    assert call("compile", "--check", project=copied).exit_code == 0
    assert call("compile", "--select", "fact_order", "--select", "fact_line", project=copied).exit_code == 0
    assert list(load_project(copied).facts) == ["fact_line", "fact_order"]


def test_compile_asks_the_warehouse_for_types_that_nobody_declares(shop: Site, copied: Path) -> None:
    """With --conn-id the columns of sources and facts are those of the tables, and of the SELECTs."""
    declared = load_project(copied)
    for file in copied.rglob("*.yml"):
        file.write_text(re.sub(r",? ?data_type: (\"[^\"]*\"|\w+( precision)?)", "", file.read_text()))
    write_manifest(copied)
    refused = call("compile", project=copied)
    assert "nobody knows the columns of shop_raw.customers" in str(refused.exception)
    assert call("compile", "--conn-id", "redshift_default", project=copied).exit_code == 0
    asked = load_project(copied)
    assert {name: source.columns for name, source in asked.sources.items()} == {
        name: source.columns for name, source in declared.sources.items()
    }
    assert asked.facts["fact_line"].column("line_code") == declared.facts["fact_line"].column("line_code")
    assert asked.facts["fact_order"].column_names == declared.facts["fact_order"].column_names


def test_compile_refuses_what_can_not_be_maintained(tmp_path: Path) -> None:
    """A fact that no run could keep is found when it is compiled, by the names of the sources; nothing is written."""
    with pytest.raises(UnsupportedQuery):
        one_model(tmp_path, "SELECT LEFT(c.name, 9) AS id, 1 AS n FROM live.customers AS c", "id:varchar(20) n")
    for arguments in (["compile"], ["compile", "--check"]):
        result = shell(*arguments, "--select", "fact", "--project", str(tmp_path / "sql"))
        assert result.returncode == 1
        assert "fact.sql, line 2: the anchor LEFT(customers.name, 9), whose type is not known," in result.stderr
        assert "Write CAST(LEFT(customers.name, 9) AS varchar(20)). Or name a column" in result.stderr
    assert not (tmp_path / "sql" / "cdc").exists()


def test_folder_of_the_bookshop_is_current(copied: Path) -> None:
    """The committed folder is the one that its models give."""
    assert call("compile", "--check", project=copied).exit_code == 0


def test_unknown_connection_is_named() -> None:
    """A connection that Airflow does not know is an error in one message, with what to do."""
    result = shell("verify", "--project", str(SHOP), "--conn-id", "nowhere")
    assert result.returncode == 1
    assert "Airflow knows no connection 'nowhere'" in result.stderr
    assert "AIRFLOW_CONN_NOWHERE" in result.stderr
    assert "Traceback" not in result.stderr


def test_release_frees_the_warehouse_from_a_dead_run(open_site: Site) -> None:
    """The command says whose run it was; it refuses while that one has just been at work."""
    with open_site.warehouse.transaction():
        lease.take(open_site.project, open_site.warehouse, open_site.run(run_id="dead"))
    result = shell("release", "--project", str(SHOP))
    assert (result.returncode, result.stderr.partition(":")[0]) == (1, "The warehouse is not freed")
    assert "run test/dead holds the warehouse since" in result.stderr
    open_site.execute("UPDATE cdc.lease SET expires_at = DATEADD(second, 30, GETDATE())")
    assert call("release").output.startswith("Freed the warehouse from run test/dead, which held it since")
    assert call("release").output.strip() == "Nobody holds the warehouse."


def test_airflow_without_a_database_shows_no_stack_trace(tmp_path: Path) -> None:
    """Where connections are in the environment alone, Airflow's database has no tables, and that is no news."""
    result = shell("check", "--conn-id", "nowhere", "--project", str(SHOP), AIRFLOW_HOME=str(tmp_path))
    assert [line.partition(":")[0] for line in result.stdout.splitlines()] == [
        "ok      models",
        "ok      dictionary",
        "ok      alerts",
        "FAILED  connection",
    ]
    assert result.stderr == ""


def test_runs_lists_what_the_ledger_has(open_site: Site) -> None:
    """The newest run comes first, with its key, window, rows and result; then how long runs take."""
    open_site.stage("orders", {**ORDER, "order_id": 5, "status": "paid", "changed_at": at(10)})
    call("run", "--end", "2026-03-01T12:30:00")
    said = call("runs").output
    assert re.findall(r"^(.{16})  (\w+) .* (\d+) rows  command_line/run__", said, re.MULTILINE) == [
        ("2026-03-01 12:30", "success", "1"),
        ("2026-03-01 12:00", "success", "8"),
    ]
    assert re.search(r"took a median of \d+\.\d s in the last day\.$", said.strip())
    open_site.execute("UPDATE cdc.runs SET finished_at = DATEADD(day, -2, finished_at), seconds_detect = 300")
    call("run", "--end", "2026-03-01T13:30:00")
    assert re.search(r"\d\.\d s in the last day and 30\d\.\d s before\.$", call("runs").output.strip())
    assert len(re.findall("command_line/", call("runs", "--limit", "1").output)) == 1


def test_facts_says_how_fresh_they_are_and_which_columns_change(open_site: Site) -> None:
    """The oldest fact first, with its age; columns by the cells that runs have changed."""
    assert "No run of the last 7 days has changed a cell of a fact." in call("facts").output
    for key, total in ((1, 12), (2, 13)):
        open_site.stage("orders", {**ORDER, "order_id": key, "status": "paid", "total": total, "changed_at": at(10)})
    call("run", "--end", "2026-03-01T12:30:00", "--source", "orders")
    said = call("facts").output
    assert re.findall(r"(fact_\w+) +(\S+ \S+) +(\d+ days)", said)[0][:2] == ("fact_line", "2026-03-01 12:00")
    assert re.findall(r"(fact_\w+\.\w+) +(\d+)", said)[0] == ("fact_order.total", "2")
    open_site.execute("UPDATE cdc.runs SET finished_at = DATEADD(day, -8, finished_at)")
    assert "No run of the last 7 days" in call("facts").output
    assert "fact_order.total" in call("facts", "--days", "30").output
    open_site.execute("DELETE FROM cdc.run_sources")
    assert re.findall(r"(fact_\w+) +never", call("facts").output) == ["fact_line", "fact_order"]
