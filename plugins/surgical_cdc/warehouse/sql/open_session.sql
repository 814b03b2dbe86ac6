-- Settings of a session. statement_timeout ends a statement that nobody waits for any more, query_group labels the
-- session's queries in SYS_QUERY_HISTORY, and an UPDATE that finds two rows for one is an error instead of a guess.
-- The others give the text of a date, time or number and the name of a table their meaning. They are Redshift's
-- defaults, whatever an administrator has set for the user, so that a statement means the same in every run.
-- Parameters: milliseconds as text, label.
SELECT
  SET_CONFIG('statement_timeout', %s::VARCHAR(16), FALSE) AS statement_timeout,
  SET_CONFIG('query_group', %s::VARCHAR(320), FALSE) AS query_group,
  SET_CONFIG('error_on_nondeterministic_update', 'true', FALSE) AS error_on_nondeterministic_update,
  SET_CONFIG('datestyle', 'ISO, MDY', FALSE) AS datestyle,
  SET_CONFIG('timezone', 'UTC', FALSE) AS timezone,
  SET_CONFIG('extra_float_digits', '0', FALSE) AS extra_float_digits,
  SET_CONFIG('search_path', '"$user", public', FALSE) AS search_path
