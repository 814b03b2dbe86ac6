-- The columns of a temporary table of this session, one row each. Reads the catalog alone.
-- Parameters: the table's name.
SELECT
  column_name,
  data_type,
  character_maximum_length,
  numeric_precision,
  numeric_scale
FROM information_schema.columns
WHERE
  table_name = %s
  AND table_schema LIKE 'pg_temp%%'
ORDER BY
  ordinal_position
