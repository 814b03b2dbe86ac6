-- Which of some schemas exist, whoever may use them. Reads the catalog alone.
-- Names: schemas (their number). Parameters: the schemas' names.
SELECT
  nspname::VARCHAR(128) AS schema_name
FROM pg_namespace
WHERE
  nspname IN ({% for _ in schemas %}%s{{ "" if loop.last else ", " }}{% endfor %})
