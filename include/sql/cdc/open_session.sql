-- Settings of a session: statement_timeout ends a statement that nobody waits for any more, query_group labels the
-- session's queries in SYS_QUERY_HISTORY, and an UPDATE that finds two rows for one is an error instead of a guess.
-- Parameters: milliseconds as text, label.
SELECT
  SET_CONFIG('statement_timeout', %s::VARCHAR(16), FALSE) AS statement_timeout,
  SET_CONFIG('query_group', %s::VARCHAR(320), FALSE) AS query_group,
  SET_CONFIG('error_on_nondeterministic_update', 'on', FALSE) AS error_on_nondeterministic_update
