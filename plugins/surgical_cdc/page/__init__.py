"""The page in Airflow's UI: how fresh the facts are, and what the runs did; it reads Airflow's database alone."""
