-- The views that are bound to a table, one row each. Late-binding ones are not, and follow its name. Reads the catalog alone.
-- Parameters: schema, table.
SELECT DISTINCT
  view_schema.nspname::VARCHAR(128) AS schema_name,
  view_class.relname::VARCHAR(128) AS view_name
FROM pg_class
JOIN pg_namespace
  ON pg_namespace.oid = pg_class.relnamespace
JOIN pg_depend
  ON pg_depend.refobjid = pg_class.oid
JOIN pg_rewrite
  ON pg_rewrite.oid = pg_depend.objid
JOIN pg_class AS view_class
  ON view_class.oid = pg_rewrite.ev_class
JOIN pg_namespace AS view_schema
  ON view_schema.oid = view_class.relnamespace
WHERE
  pg_namespace.nspname = %s
  AND pg_class.relname = %s
  AND view_class.oid <> pg_class.oid
ORDER BY
  schema_name,
  view_name
