"""What metrics arrive at: a StatsD server, and one that takes them by OTLP over HTTP, as a collector does."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

ARRIVE_SECONDS = 30
# Airflow's own are sent to the same place.
OURS = "airflow.surgical_cdc."
# A gauge as StatsD has it, its tags behind its name as InfluxDB has them.
LINE = re.compile(r"(?P<name>[^,:|]+)(?P<tags>(?:,[^,=:|]+=[^,=:|]*)*):(?P<value>-?[\d.e+]+)\|g")
RECEIVE_BYTES = 4_000_000

Tags = dict[str, str]


@dataclass
class Collector:
    """The last value of each gauge that has arrived, by name and tags, and how Airflow is told where to send them."""

    environment: dict[str, str]
    gauges: dict[tuple[str, frozenset[tuple[str, str]]], float] = field(default_factory=dict)

    def take(self, name: str, tags: Tags, value: float) -> None:
        """Keep a value."""
        if name.startswith(OURS):
            self.gauges[name.removeprefix("airflow."), frozenset(tags.items())] = value

    def value(self, metric: str, **tags: str) -> float | None:
        """Return the last value, None if none has arrived."""
        return self.gauges.get((metric, frozenset(tags.items())))

    def wait_for(self, metric: str, is_meant: Callable[[float], bool] = lambda _: True, **tags: str) -> float:
        """Return the first value of a metric that is the one meant; an AssertionError if none arrives."""
        deadline = time.monotonic() + ARRIVE_SECONDS
        while time.monotonic() < deadline:
            value = self.value(metric, **tags)
            if value is not None and is_meant(value):
                return value
            time.sleep(0.05)
        raise AssertionError(f"No such {metric} of {tags} has arrived. What has: {self.gauges}")


@contextmanager
def statsd() -> Iterator[Collector]:
    """A StatsD server: each datagram has lines of metrics."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        server.bind(("127.0.0.1", 0))
        settings = {"ON": "True", "HOST": "127.0.0.1", "PORT": str(server.getsockname()[1]), "INFLUXDB_ENABLED": "True"}
        collector = Collector({f"AIRFLOW__METRICS__STATSD_{name}": value for name, value in settings.items()})

        def receive() -> None:
            while datagram := server.recv(65_535):
                for line in datagram.decode().splitlines():
                    if found := LINE.fullmatch(line):
                        tags = dict(pair.split("=", 1) for pair in found["tags"].split(",")[1:])
                        collector.take(found["name"], tags, float(found["value"]))

        thread = Thread(target=receive)
        thread.start()
        try:
            yield collector
        finally:
            # An empty datagram is the last.
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", server.getsockname())
            thread.join()


@contextmanager
def otlp() -> Iterator[Collector]:
    """A server at which OpenTelemetry's exporter delivers metrics in protobuf over HTTP."""

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = ExportMetricsServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
            for metric in (
                metric
                for resource in request.resource_metrics
                for scope in resource.scope_metrics
                for metric in scope.metrics
            ):
                for point in metric.gauge.data_points:
                    tags = {pair.key: pair.value.string_value for pair in point.attributes}
                    collector.take(metric.name, tags, point.as_double)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportMetricsServiceResponse().SerializeToString())

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    collector = Collector(
        {
            "AIRFLOW__METRICS__OTEL_ON": "True",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        }
    )
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
