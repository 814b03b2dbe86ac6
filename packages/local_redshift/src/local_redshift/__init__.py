"""A stand-in for Amazon Redshift on one machine: Redshift's face on an embedded PostgreSQL.

A development tool. ``docs/local_redshift.md`` of its distribution says what it translates and what it can not show.

    with LocalRedshift(data=Path(".warehouse"), port=0) as redshift:
        redshift_connector.connect(**redshift.settings)
"""

from __future__ import annotations

from local_redshift.errors import LocalRedshiftError
from local_redshift.server.launcher import LocalRedshift
from local_redshift.wire.faults import Fault, FaultKind
from local_redshift.wire.latency import Latency

__all__ = ["Fault", "FaultKind", "Latency", "LocalRedshift", "LocalRedshiftError"]
