"""Airflow and the stand-in for Redshift on one machine: what `make run` and `make demo` start, and the tests too.

with LocalStack(Path(".local/run"), port=8080) as stack:
    stack.start()
    stack.airflow.trigger("vendor_cdc")
"""

from __future__ import annotations

from local_stack.errors import StackError
from local_stack.stack import LocalStack

__all__ = ["LocalStack", "StackError"]
