-- The columns of all tables in some schemas, one row each. Reads the catalog alone: it can not be joined to tables.
-- Names: schemas (their number). Parameters: the schemas' names.
SELECT
  table_schema,
  table_name,
  column_name,
  data_type,
  character_maximum_length,
  numeric_precision,
  numeric_scale
FROM information_schema.columns
WHERE
  table_schema IN ({% for _ in schemas %}%s{{ "" if loop.last else ", " }}{% endfor %})
ORDER BY
  table_schema,
  table_name,
  ordinal_position
