-- The tables of the scratch schema that are this user's. Reads the catalog alone.
-- Parameters: schema.
SELECT
  tablename::VARCHAR(128) AS table_name
FROM pg_tables
WHERE
  schemaname = %s
  AND tableowner = CURRENT_USER
