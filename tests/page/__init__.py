"""Tests of the page; Airflow's home is that of the tests, also where a module of this package is run as a program."""

from __future__ import annotations

import tests.conftest  # noqa: F401 - sets it, before anything else imports Airflow
