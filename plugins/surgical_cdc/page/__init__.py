"""The page in Airflow's UI: how fresh the facts are, what the runs did, and by a button the story of a row."""
