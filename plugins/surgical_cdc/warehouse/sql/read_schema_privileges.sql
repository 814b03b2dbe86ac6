-- Which of some schemas exist, and what the user may do in each, one row each. Reads the catalog alone.
-- Names: schemas (their number). Parameters: the schemas' names.
SELECT
  nspname::VARCHAR(128) AS schema_name,
  HAS_SCHEMA_PRIVILEGE(nspname::VARCHAR(128), 'usage') AS may_use,
  HAS_SCHEMA_PRIVILEGE(nspname::VARCHAR(128), 'create') AS may_create
FROM pg_namespace
WHERE
  nspname IN ({% for _ in schemas %}%s{{ "" if loop.last else ", " }}{% endfor %})
