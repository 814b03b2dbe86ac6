-- A table's owner, its access list, and whether the session's user is a superuser, in one row. Reads the catalog alone.
-- Parameters: schema, table.
SELECT
  PG_GET_USERBYID(pg_class.relowner)::VARCHAR(128) AS owner,
  ARRAY_TO_STRING(pg_class.relacl, ',')::VARCHAR(65535) AS access_list,
  CURRENT_USER::VARCHAR(128) AS user_name,
  pg_user.usesuper AS is_superuser
FROM pg_class
JOIN pg_namespace
  ON pg_namespace.oid = pg_class.relnamespace
JOIN pg_user
  ON pg_user.usename = CURRENT_USER
WHERE
  pg_namespace.nspname = %s
  AND pg_class.relname = %s
