-- The isolation level of the database, as Redshift names it. No row where the user may not see it.
SELECT
  isolation_level
FROM stv_db_isolation_level
WHERE
  db_name = CURRENT_DATABASE()
