"""Tests of the DAGs in a running Airflow, which ends with the last of them."""
