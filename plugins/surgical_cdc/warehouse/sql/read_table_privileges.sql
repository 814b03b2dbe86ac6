-- What the user may do with all tables in some schemas that it may use, one row each. Reads the catalog alone.
-- Names: schemas (their number). Parameters: the schemas' names.
SELECT
  schemaname::VARCHAR(128) AS schema_name,
  tablename::VARCHAR(128) AS table_name,
  HAS_TABLE_PRIVILEGE(QUOTE_IDENT(schemaname::VARCHAR(128)) || '.' || QUOTE_IDENT(tablename::VARCHAR(128)), 'select') AS may_select,
  HAS_TABLE_PRIVILEGE(QUOTE_IDENT(schemaname::VARCHAR(128)) || '.' || QUOTE_IDENT(tablename::VARCHAR(128)), 'insert') AS may_insert,
  HAS_TABLE_PRIVILEGE(QUOTE_IDENT(schemaname::VARCHAR(128)) || '.' || QUOTE_IDENT(tablename::VARCHAR(128)), 'update') AS may_update,
  HAS_TABLE_PRIVILEGE(QUOTE_IDENT(schemaname::VARCHAR(128)) || '.' || QUOTE_IDENT(tablename::VARCHAR(128)), 'delete') AS may_delete
FROM pg_tables
WHERE
  schemaname IN ({% for _ in schemas %}%s{{ "" if loop.last else ", " }}{% endfor %})
