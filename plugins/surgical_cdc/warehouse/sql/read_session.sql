-- Who and where the session is, in one row.
SELECT
  CURRENT_USER::VARCHAR(128) AS user_name,
  CURRENT_DATABASE()::VARCHAR(128) AS database_name
