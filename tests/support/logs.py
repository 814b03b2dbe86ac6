"""What a module logs, whatever Airflow has made of the process's logging."""

from __future__ import annotations

import logging
from types import ModuleType

import pytest


def collected(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> list[str]:
    """Return the messages that a module logs from now on, until the end of the test."""
    messages: list[str] = []
    logger = logging.Logger(module.__name__)  # noqa: LOG001 - one that no configuration reaches
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", lambda record: messages.append(record.getMessage()))
    logger.addHandler(handler)
    monkeypatch.setattr(module, "log", logger)
    return messages
