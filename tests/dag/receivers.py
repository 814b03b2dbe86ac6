"""What alerts arrive at: a real SMTP server, a server that answers as Amazon SNS and SQS do, a plain HTTP server."""

from __future__ import annotations

import email
import email.policy
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import boto3
from aiosmtpd.controller import Controller
from moto.server import ThreadedMotoServer

REGION = "eu-west-1"
ARRIVE_SECONDS = 30


@dataclass(frozen=True)
class Message:
    """An alert as it arrived, whatever it came by."""

    subject: str
    text: str


@dataclass
class Inbox:
    """The messages that one receiver has got, and how Airflow is told of it."""

    connection: dict[str, Any]
    target: dict[str, Any]
    fetch: Callable[[], list[Message]] | None = None
    messages: list[Message] = field(default_factory=list)

    def about(self, text: str) -> list[Message]:
        """Return the messages so far whose text has `text` in it."""
        if self.fetch:
            self.messages += self.fetch()
        return [message for message in self.messages if text in message.text]

    def wait_for(self, text: str) -> Message:
        """Return the first message whose text has `text` in it; an AssertionError if none arrives."""
        deadline = time.monotonic() + ARRIVE_SECONDS
        while time.monotonic() < deadline:
            if found := self.about(text):
                return found[0]
            time.sleep(0.1)
        raise AssertionError(f"No alert with {text!r} has arrived. What has: {self.messages}")


@contextmanager
def smtp_server() -> Iterator[Inbox]:
    """A mail server on a free port."""

    class Mailbox:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            body = mail.get_body(("html", "plain"))
            assert body is not None
            inbox.messages.append(Message(str(mail["Subject"]), body.get_content()))
            return "250 OK"

    controller = Controller(Mailbox(), hostname="127.0.0.1", port=_free_port())
    inbox = Inbox(
        connection={
            "conn_type": "smtp",
            "host": "127.0.0.1",
            "port": controller.port,
            "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "cdc@example.com", "timeout": 5},
        },
        target={"via": "smtp", "to": ["oncall@example.com"]},
    )
    controller.start()
    yield inbox
    controller.stop()


@contextmanager
def sns_server() -> Iterator[Inbox]:
    """A topic of Amazon SNS; what is published to it is read from a queue that is subscribed to it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    access: dict[str, Any] = {
        "region_name": REGION,
        "endpoint_url": f"http://{host}:{port}",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    sns, sqs = boto3.client("sns", **access), boto3.client("sqs", **access)
    topic = sns.create_topic(Name="oncall")["TopicArn"]
    queue = sqs.create_queue(QueueName="oncall")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)

    def fetch() -> list[Message]:
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in received:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        bodies = [json.loads(message["Body"]) for message in received]
        return [Message(body["Subject"], body["Message"]) for body in bodies]

    yield Inbox(
        connection={
            "conn_type": "aws",
            "login": "test",
            "password": "test",
            "extra": {"region_name": REGION, "endpoint_url": access["endpoint_url"]},
        },
        target={"via": "sns", "target_arn": topic},
        fetch=fetch,
    )
    server.stop()


@contextmanager
def http_server() -> Iterator[Inbox]:
    """A service that takes Apprise's JSON messages."""

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            inbox.messages.append(Message(body["title"], body["message"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    inbox = Inbox(
        connection={
            "conn_type": "apprise",
            "extra": {"config": {"path": f"json://127.0.0.1:{server.server_port}/", "tag": "oncall"}},
        },
        target={"via": "apprise"},
    )
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield inbox
    server.shutdown()
    thread.join()
    server.server_close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
