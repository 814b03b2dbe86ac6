-- The distribution and sort keys of all tables in some schemas, one row for each column that is one. Reads the catalog alone.
-- Names: schemas (their number). Parameters: the schemas' names.
SELECT
  schema_name,
  table_name,
  column_name,
  distkey,
  sortkey
FROM svv_redshift_columns
WHERE
  database_name = CURRENT_DATABASE()
  AND schema_name IN ({% for _ in schemas %}%s{{ "" if loop.last else ", " }}{% endfor %})
  AND (
    distkey
    OR sortkey <> 0
  )
ORDER BY
  schema_name,
  table_name,
  sortkey
