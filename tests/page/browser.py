"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import expect, sync_playwright

from tests.page.world import token

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROGRAM = Path("/usr/bin/chromium")
MISSING = f"{PROGRAM} is missing: apt-get install chromium"
# Without them it asks for what this machine may not reach.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Scheme = Literal["light", "dark"]
# On a machine that other tests keep busy.
expect.set_options(timeout=30_000)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page_of(
    browser: Browser, url: str, user: str, *, password: str = "", width: int = 1280, scheme: Scheme = "light"
) -> Iterator[Page]:
    """Open a page of a user who is logged in, "" for nobody; what goes wrong in it fails the test at its end."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, base_url=url)
    if user:
        context.add_cookies([{"name": "_token", "value": token(url, user, password or user), "url": url}])
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("dialog", lambda dialog: problems.append(f"dialog {dialog.message}"))
    try:
        yield page
        assert problems == []
    finally:
        context.close()
