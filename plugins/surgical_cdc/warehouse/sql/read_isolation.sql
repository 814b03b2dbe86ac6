-- The isolation level of the database, as Redshift names it. Every user may read this view, also on Serverless and
-- Multi-AZ, where there are no STV views; metadata security can hide the row.
SELECT
  database_isolation_level
FROM svv_redshift_databases
WHERE
  database_name = CURRENT_DATABASE()
