-- Distribution and sort keys as indexes, made in the transaction that makes the table.
-- The gateway puts a table's keys into a comment behind the statement (definitions.py). The
-- comment on each index says which keys it stands for; the catalog views read it.
-- No parameters.

-- A string has no type TEXT in Redshift, whatever expression made it. What the expression allows is not known here, so
-- the column gets the greatest length; PostgreSQL stores both types alike. As the owner: the caller may not write there.
CREATE OR REPLACE FUNCTION local_redshift.text_to_varchar(relation REGCLASS) RETURNS VOID
LANGUAGE sql SECURITY DEFINER SET allow_system_table_mods = on SET search_path = pg_catalog AS $$
  UPDATE pg_catalog.pg_attribute
  SET atttypid = 'pg_catalog.varchar'::REGTYPE, atttypmod = 65535 + 4
  WHERE attrelid = relation
    AND attrelid::BIGINT >= 16384  -- a user's, and none of the catalog's
    AND atttypid IN ('pg_catalog.text'::REGTYPE, 'pg_catalog.varchar'::REGTYPE)
    AND atttypmod = -1
    AND attnum > 0
$$;

CREATE OR REPLACE FUNCTION local_redshift.keep_keys() RETURNS EVENT_TRIGGER
LANGUAGE plpgsql AS $$
DECLARE
  created REGCLASS;
  keys JSONB;
  key RECORD;
  made NAME;
BEGIN
  FOR created IN
    SELECT objid::REGCLASS FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table'
  LOOP
    IF tg_tag <> 'CREATE TABLE' THEN
      PERFORM local_redshift.text_to_varchar(created);
    END IF;
    FOR keys IN
      SELECT matched [1]::JSONB
      FROM regexp_matches(current_query(), E'/[*]local_redshift (.*?)[*]/', 'g') AS matched
    LOOP
      CONTINUE WHEN to_regclass(keys ->> 'table') IS DISTINCT FROM created;
      FOR key IN
        SELECT key_column, string_agg(role, ', ' ORDER BY role) AS roles
        FROM (
          SELECT keys ->> 'distkey' AS key_column, 'distkey' AS role
          UNION ALL
          SELECT name, 'sortkey ' || place
          FROM jsonb_array_elements_text(keys -> 'sortkeys') WITH ORDINALITY AS sort(name, place)
        ) AS every_role
        WHERE key_column IS NOT NULL
        GROUP BY key_column
      LOOP
        made := left(replace(keys ->> 'table', '"', ''), 20) || '_' || left(key.key_column, 20)
          || '_' || substr(md5(created::OID::TEXT || key.key_column), 1, 12);
        made := replace(made, '.', '_');
        EXECUTE format('CREATE INDEX %I ON %s (%I)', made, created, key.key_column);
        EXECUTE format(
          'COMMENT ON INDEX %s.%I IS %L',
          (SELECT relnamespace::REGNAMESPACE FROM pg_class WHERE oid = created), made, key.roles
        );
      END LOOP;
    END LOOP;
    -- Redshift analyzes a table that it makes from a query. PostgreSQL takes a new one, however small, for ten pages.
    IF tg_tag <> 'CREATE TABLE' THEN
      EXECUTE format('ANALYZE %s', created);
    END IF;
  END LOOP;
END $$;

DROP EVENT TRIGGER IF EXISTS keep_keys;
CREATE EVENT TRIGGER keep_keys ON ddl_command_end
WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO')
EXECUTE FUNCTION local_redshift.keep_keys();
