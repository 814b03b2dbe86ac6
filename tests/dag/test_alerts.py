from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.dag import alerts

if TYPE_CHECKING:
    from tests.dag.receivers import Inbox


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, inboxes: dict[str, Inbox]) -> Any:
    """Set the Variable with the targets, and the connections that they name."""
    for name, kind in (("SMTP_DEFAULT", "smtp"), ("AWS_DEFAULT", "sns"), ("APPRISE_DEFAULT", "apprise")):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(inboxes[kind].connection))

    def configure(*targets: Any) -> None:
        monkeypatch.setenv("AIRFLOW_VAR_SURGICAL_CDC_ALERTS", json.dumps(targets))

    return configure


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # Apprise imports it
@pytest.mark.parametrize("via", ["smtp", "sns", "apprise"])
def test_a_message_arrives_as_it_was_written(configured: Any, inboxes: dict[str, Inbox], via: str) -> None:
    """Braces are no template, angle brackets no markup, and a subject fits into what SNS takes."""
    configured(inboxes[via].target)
    text = f"via {via}: {{{{ ds }}}} and {{% x %}} are text"
    alerts.send(f"größer als hundert\nZeichen {'x' * 200}", text)
    message = inboxes[via].wait_for(f"via {via}:")
    assert "{{ ds }} and {% x %} are text" in message.text
    assert len(message.subject) == alerts.SUBJECT_LENGTH
    assert message.subject.startswith("gr??er als hundert Zeichen x")


def test_markup_in_an_error_is_shown_not_read(configured: Any, inboxes: dict[str, Inbox]) -> None:
    """A mail is HTML, and an error may have angle brackets in it."""
    configured(inboxes["smtp"].target)
    alerts.send("markup", "markup: <a> & b")
    assert "&lt;a&gt; &amp; b" in inboxes["smtp"].wait_for("markup:").text


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
@pytest.mark.parametrize("via", ["sns", "apprise"])
def test_nothing_in_an_error_calls_people_or_leads_elsewhere(
    configured: Any, inboxes: dict[str, Inbox], via: str
) -> None:
    """A name in the data may be a mention, a tag or a link where services look for them."""
    configured(inboxes[via].target)
    alerts.send(
        "@here", f"calls by {via}: @everyone <!channel> <@U12> [bank](https://example.com) <https://example.com|bank>"
    )
    message = inboxes[via].wait_for(f"calls by {via}:")
    for mark in ("@everyone", "<!channel", "<@", "@U12", "](", "<https"):
        assert mark not in message.text
    assert "@everyone <!channel> <@U12> [bank](https" in message.text.replace(alerts.NO_WIDTH, "")


def test_a_subject_is_one_line_of_a_header(configured: Any, inboxes: dict[str, Inbox]) -> None:
    """No character of an error begins another header."""
    configured(inboxes["smtp"].target)
    alerts.send("failed\r\nBcc: all@example.com\x00\x1b[31m", "headers: text")
    assert inboxes["smtp"].wait_for("headers:").subject == "failed Bcc: all@example.com??[31m"


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
def test_an_alert_that_reaches_nobody_is_not_taken_for_sent(configured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has tried to send it says so, and the DAG's callback tries again."""
    closed = {"conn_type": "apprise", "extra": {"config": {"path": "json://127.0.0.1:9/"}}}
    monkeypatch.setenv("AIRFLOW_CONN_CLOSED", json.dumps(closed))
    configured({"via": "apprise", "conn_id": "closed"})
    assert not alerts.send("vendor_cdc failed", "text")


def test_one_wrong_target_does_not_keep_the_alert_from_others(
    configured: Any, inboxes: dict[str, Inbox], caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever can be told is, and the log says who can not."""
    configured({"via": "pigeon"}, inboxes["smtp"].target)
    assert alerts.send("vendor_cdc failed", "beside a pigeon: text")
    assert inboxes["smtp"].wait_for("beside a pigeon:")
    assert "target 1: Input tag 'pigeon'" in caplog.text


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        pytest.param('[{"via": "pigeon"}]', "pigeon", id="unknown kind"),
        pytest.param('[{"via": "smtp", "too": "x"}]', "too", id="misspelled key"),
        pytest.param('[{"via": "smtp", "to": []}]', "to", id="nobody"),
        pytest.param("{oncall", "it is no JSON", id="no JSON"),
    ],
)
def test_a_wrong_configuration_is_logged_with_what_should_have_been_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variable: str, said: str
) -> None:
    """A mistake in the Variable must not hide the failure that it keeps from being told."""
    monkeypatch.setenv("AIRFLOW_VAR_SURGICAL_CDC_ALERTS", variable)
    assert not alerts.send("vendor_cdc failed", "Error: the disk is full")
    assert said in caplog.text
    assert "the disk is full" in caplog.text


def test_without_a_target_nothing_is_sent(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """No Variable, no alert; the log says that nobody was told."""
    monkeypatch.delenv("AIRFLOW_VAR_SURGICAL_CDC_ALERTS", raising=False)
    with caplog.at_level("INFO", "surgical_cdc"):
        alerts.send("vendor_cdc failed", "text")
    assert "names no target" in caplog.text
