"""Airflow's API server on a real database of Airflow's, in which runs have left what they did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from surgical_cdc.page.plugin import PREFIX
from tests.page import browser
from tests.page.world import USERS, api_server, fill_database

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from local_redshift import LocalRedshift


@dataclass(frozen=True)
class Client:
    """A client of Airflow's API server, as one user."""

    http: TestClient

    def get(self, place: str, **query: str) -> Any:
        """Return the answer of a view, or of another address if it begins with a slash."""
        return self.http.get(place if place.startswith("/") else f"/{PREFIX}/{place}", params=query or None)


@pytest.fixture(scope="package")
def database() -> None:
    """Airflow's database with our DAGs in it, and a week of runs of the vendors' one."""
    fill_database()


@pytest.fixture(scope="package")
def as_user(database: None) -> Callable[[str], Client]:
    """Return a client for a user, with the cookie that a login gives; "" for nobody."""
    from airflow.api_fastapi.app import create_app, get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    app = create_app(apps="core")

    def as_user(name: str) -> Client:
        client = TestClient(app)
        if name:
            user = SimpleAuthManagerUser(username=name, role=USERS[name])
            client.cookies["_token"] = get_auth_manager().generate_jwt(user)
        return Client(client)

    return as_user


@pytest.fixture(scope="package")
def server(database: None, redshift: LocalRedshift, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running API server of Airflow, which knows the connection of the warehouse."""
    with api_server(tmp_path_factory.mktemp("api") / "api-server.log") as url:
        yield url


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    if not browser.PROGRAM.exists():
        pytest.skip(browser.MISSING)
    with browser.chromium() as running:
        yield running
