-- What the gateway asks in a client's session, before a statement whose meaning depends on the columns of its tables.
-- No parameters. Run again whenever a file in this folder changes.

-- The names of a query's columns in their order; NULL if the query fails, which the client's own statement will say.
-- The block that catches the error is what keeps the client's transaction from failing.
CREATE OR REPLACE FUNCTION local_redshift.columns_of(query TEXT) RETURNS JSON
LANGUAGE plpgsql AS $$
DECLARE
  no_row RECORD;
BEGIN
  EXECUTE 'SELECT * FROM (' || query || ') AS asked LIMIT 0' INTO no_row;
  RETURN (SELECT json_agg(name) FROM json_object_keys(row_to_json(no_row)) AS name);
EXCEPTION
  WHEN OTHERS THEN
    RETURN NULL;
END $$;
