-- What the user may do in the database, in one row: create schemas, create temporary tables. Reads the catalog alone.
SELECT
  HAS_DATABASE_PRIVILEGE(CURRENT_DATABASE(), 'create') AS create_schemas,
  HAS_DATABASE_PRIVILEGE(CURRENT_DATABASE(), 'temp') AS create_temporary_tables
