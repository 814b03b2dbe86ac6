"""Measurements of the engine and of the DAG, each beside what it is compared with, in one run on the same data."""
