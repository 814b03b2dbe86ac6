-- The collation of the database, in which text columns are compared that have none of their own.
SELECT
  DB_COLLATION() AS database_collation
