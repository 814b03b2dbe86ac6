"""Makes what a managed Airflow wants of a project: files to upload."""
