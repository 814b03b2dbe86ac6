-- Redshift's system views, as far as drivers, dbt and this project read them.
-- No parameters.

DO $$
DECLARE
  installed REGCLASS;
BEGIN
  FOR installed IN
    SELECT oid FROM pg_class
    WHERE relnamespace = 'pg_catalog'::REGNAMESPACE AND relkind = 'v' AND oid >= 16384
    ORDER BY oid DESC  -- the later ones may read the earlier
  LOOP
    EXECUTE format('DROP VIEW IF EXISTS %s', installed);
  END LOOP;
END $$;

CREATE OR REPLACE VIEW local_redshift.key_columns AS
SELECT
  pg_index.indrelid AS table_id,
  pg_index.indkey [0] AS column_number,
  description LIKE '%distkey%' AS is_distkey,
  coalesce(substring(description FROM 'sortkey ([0-9]+)')::INTEGER, 0) AS sortkey_position
FROM pg_index
JOIN pg_description
  ON pg_description.objoid = pg_index.indexrelid
  AND pg_description.classoid = 'pg_class'::REGCLASS
WHERE pg_description.description ~ '^(distkey|sortkey)';

GRANT SELECT ON local_redshift.key_columns TO PUBLIC;

CREATE VIEW pg_catalog.pg_table_def AS
SELECT
  pg_namespace.nspname AS schemaname,
  pg_class.relname AS tablename,
  pg_attribute.attname AS "column",
  format_type(pg_attribute.atttypid, pg_attribute.atttypmod) AS type,
  'none'::VARCHAR AS encoding,
  coalesce(key_columns.is_distkey, FALSE) AS distkey,
  coalesce(key_columns.sortkey_position, 0) AS sortkey,
  pg_attribute.attnotnull AS "notnull"
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
JOIN pg_attribute
  ON pg_attribute.attrelid = pg_class.oid
  AND pg_attribute.attnum > 0
  AND NOT pg_attribute.attisdropped
LEFT JOIN local_redshift.key_columns
  ON key_columns.table_id = pg_class.oid AND key_columns.column_number = pg_attribute.attnum
WHERE pg_class.relkind = 'r' AND pg_namespace.nspname = ANY (current_schemas(TRUE));

CREATE VIEW pg_catalog.svv_table_info AS
SELECT
  current_database()::VARCHAR AS "database",
  pg_namespace.nspname::VARCHAR AS "schema",
  pg_class.oid AS table_id,
  pg_class.relname::VARCHAR AS "table",
  'N'::VARCHAR AS encoded,
  coalesce('KEY(' || distribution.name || ')', 'AUTO(EVEN)')::VARCHAR AS diststyle,
  sorting.name::VARCHAR AS sortkey1,
  NULL::INTEGER AS max_varchar,
  NULL::VARCHAR AS sortkey1_enc,
  coalesce(sorting.number, 0)::INTEGER AS sortkey_num,
  (pg_relation_size(pg_class.oid) + 1048575) / 1048576 AS size,
  0::NUMERIC(10, 4) AS pct_used,
  0::BIGINT AS "empty",
  NULL::NUMERIC(5, 2) AS unsorted,
  NULL::NUMERIC(5, 2) AS stats_off,
  greatest(pg_class.reltuples, 0)::NUMERIC(38, 0) AS tbl_rows,
  NULL::NUMERIC(19, 2) AS skew_sortkey1,
  NULL::NUMERIC(19, 2) AS skew_rows,
  greatest(pg_class.reltuples, 0)::NUMERIC(38, 0) AS estimated_visible_rows,
  NULL::TEXT AS risk_event,
  NULL::NUMERIC(12, 2) AS vacuum_sort_benefit,
  NULL::TIMESTAMP AS create_time
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
LEFT JOIN LATERAL (
  SELECT max(pg_attribute.attname::TEXT) AS name
  FROM local_redshift.key_columns
  JOIN pg_attribute
    ON pg_attribute.attrelid = key_columns.table_id
    AND pg_attribute.attnum = key_columns.column_number
  WHERE key_columns.table_id = pg_class.oid AND key_columns.is_distkey
) AS distribution ON TRUE
LEFT JOIN LATERAL (
  SELECT
    max(pg_attribute.attname::TEXT) FILTER (WHERE key_columns.sortkey_position = 1) AS name,
    count(*) AS number
  FROM local_redshift.key_columns
  JOIN pg_attribute
    ON pg_attribute.attrelid = key_columns.table_id
    AND pg_attribute.attnum = key_columns.column_number
  WHERE key_columns.table_id = pg_class.oid AND key_columns.sortkey_position > 0
) AS sorting ON TRUE
WHERE pg_class.relkind = 'r' AND pg_class.relpersistence <> 't'
  AND pg_namespace.nspname NOT IN ('pg_catalog', 'information_schema', 'local_redshift');

CREATE VIEW pg_catalog.svv_tables AS
SELECT table_catalog, table_schema, table_name, table_type, NULL::VARCHAR AS remarks
FROM information_schema.tables;

CREATE VIEW pg_catalog.svv_columns AS
SELECT
  table_catalog, table_schema, table_name, column_name, ordinal_position, column_default,
  is_nullable, data_type, character_maximum_length, numeric_precision, numeric_precision_radix,
  numeric_scale, datetime_precision, interval_type, interval_precision, NULL::VARCHAR AS remarks
FROM information_schema.columns;

CREATE VIEW pg_catalog.svv_all_schemas AS
SELECT
  catalog_name AS database_name, schema_name, schema_owner, 'local'::VARCHAR AS schema_type,
  NULL::VARCHAR AS schema_acl, NULL::VARCHAR AS source_database, NULL::VARCHAR AS schema_option
FROM information_schema.schemata;

CREATE VIEW pg_catalog.svv_redshift_schemas AS SELECT * FROM svv_all_schemas;

CREATE VIEW pg_catalog.svv_all_tables AS
SELECT
  table_catalog AS database_name, table_schema AS schema_name, table_name,
  NULL::VARCHAR AS table_acl,
  (CASE table_type WHEN 'VIEW' THEN 'VIEW' ELSE 'TABLE' END)::VARCHAR AS table_type,
  NULL::VARCHAR AS remarks
FROM information_schema.tables;

CREATE VIEW pg_catalog.svv_redshift_tables AS SELECT * FROM svv_all_tables;

CREATE VIEW pg_catalog.svv_all_columns AS
SELECT
  table_catalog AS database_name, table_schema AS schema_name, table_name, column_name,
  ordinal_position, column_default, is_nullable, data_type, character_maximum_length,
  numeric_precision, numeric_scale, NULL::VARCHAR AS remarks
FROM information_schema.columns;

CREATE VIEW pg_catalog.svv_redshift_columns AS
SELECT
  columns.table_catalog AS database_name, columns.table_schema AS schema_name,
  columns.table_name, columns.column_name, columns.ordinal_position, columns.data_type,
  columns.column_default, columns.is_nullable, 'none'::VARCHAR AS encoding,
  coalesce(key_columns.is_distkey, FALSE) AS distkey,
  coalesce(key_columns.sortkey_position, 0) AS sortkey,
  NULL::VARCHAR AS column_acl, NULL::VARCHAR AS remarks
FROM information_schema.columns
LEFT JOIN local_redshift.key_columns
  ON key_columns.table_id = to_regclass(format('%I.%I', columns.table_schema, columns.table_name))
  AND key_columns.column_number = columns.ordinal_position;

CREATE VIEW pg_catalog.svv_external_schemas AS
SELECT 0 AS esoid, 0 AS eskind, ''::VARCHAR AS schemaname, 0 AS esowner, ''::VARCHAR AS databasename
WHERE FALSE;

CREATE VIEW pg_catalog.svv_external_tables AS
SELECT
  ''::VARCHAR AS redshift_database_name, ''::VARCHAR AS schemaname, ''::VARCHAR AS tablename,
  ''::VARCHAR AS tabletype, ''::VARCHAR AS "location", ''::VARCHAR AS input_format,
  ''::VARCHAR AS output_format, ''::VARCHAR AS serialization_lib, ''::VARCHAR AS serde_parameters,
  0 AS compressed, ''::VARCHAR AS parameters
WHERE FALSE;

CREATE VIEW pg_catalog.svv_external_columns AS
SELECT
  ''::VARCHAR AS redshift_database_name,
  ''::VARCHAR AS schemaname, ''::VARCHAR AS tablename, ''::VARCHAR AS columnname,
  ''::VARCHAR AS external_type, 0 AS columnnum, 0 AS part_key, ''::VARCHAR AS is_nullable
WHERE FALSE;

CREATE VIEW pg_catalog.svv_mv_info AS
SELECT
  current_database()::VARCHAR AS database_name, ''::VARCHAR AS schema_name,
  ''::VARCHAR AS user_name, ''::VARCHAR AS name, ''::VARCHAR AS is_stale, 0 AS state,
  ''::VARCHAR AS autorewrite, ''::VARCHAR AS autorefresh
WHERE FALSE;

CREATE VIEW pg_catalog.stv_mv_info AS
SELECT
  current_database()::VARCHAR AS db_name, ''::VARCHAR AS "schema", ''::VARCHAR AS name,
  0 AS updated_upto_xid, ''::VARCHAR AS is_stale, ''::VARCHAR AS owner_user_name, 0 AS state,
  ''::VARCHAR AS autorewrite, ''::VARCHAR AS autorefresh
WHERE FALSE;

-- Groups and roles of Redshift are both roles that may not log in.
CREATE VIEW pg_catalog.svv_relation_privileges AS
SELECT
  granted.table_schema::VARCHAR AS namespace_name,
  granted.table_name::VARCHAR AS relation_name,
  granted.privilege_type::VARCHAR AS privilege_type,
  coalesce(grantee.oid::INTEGER, 0) AS identity_id,
  (CASE granted.grantee WHEN 'PUBLIC' THEN 'public' ELSE granted.grantee END)::VARCHAR AS identity_name,
  (CASE
    WHEN granted.grantee = 'PUBLIC' THEN 'public'
    WHEN grantee.rolcanlogin THEN 'user'
    ELSE 'group'
  END)::VARCHAR AS identity_type,
  granted.is_grantable = 'YES' AS admin_option
FROM information_schema.table_privileges AS granted
LEFT JOIN pg_roles AS grantee ON grantee.rolname = granted.grantee
WHERE granted.privilege_type NOT IN ('TRIGGER', 'MAINTAIN');

-- Whatever is not SERIALIZABLE is shown as the default.
CREATE VIEW pg_catalog.svv_redshift_databases AS
SELECT
  pg_database.datname::VARCHAR(128) AS database_name,
  pg_database.datdba::INTEGER AS database_owner,
  'local'::VARCHAR(32) AS database_type,
  NULL::VARCHAR(128) AS database_acl,
  NULL::VARCHAR(128) AS database_options,
  (CASE
    WHEN 'default_transaction_isolation=serializable' = ANY (pg_db_role_setting.setconfig) THEN 'Serializable'
    ELSE 'Snapshot Isolation'
  END)::VARCHAR(128) AS database_isolation_level
FROM pg_database
LEFT JOIN pg_db_role_setting
  ON pg_db_role_setting.setdatabase = pg_database.oid AND pg_db_role_setting.setrole = 0
WHERE pg_database.datname = current_database();

CREATE VIEW pg_catalog.stv_db_isolation_level AS
SELECT database_name::CHAR(128) AS db_name, database_isolation_level::CHAR(20) AS isolation_level
FROM svv_redshift_databases;

-- What the gateway makes of SHOW COLUMNS FROM TABLE (settings.py): the columns that the user may read.
CREATE OR REPLACE FUNCTION local_redshift.show_columns(relation REGCLASS)
RETURNS TABLE (
  database_name VARCHAR, schema_name VARCHAR, table_name VARCHAR, column_name VARCHAR, ordinal_position INTEGER,
  column_default VARCHAR, is_nullable VARCHAR, data_type VARCHAR, character_maximum_length INTEGER,
  numeric_precision INTEGER, numeric_scale INTEGER, remarks VARCHAR, sort_key_type VARCHAR, sort_key INTEGER,
  dist_key INTEGER, encoding VARCHAR, "collation" VARCHAR
)
LANGUAGE sql STABLE AS $$
  -- By the table's number: information_schema.columns would be read whole for each table.
  SELECT
    current_database(), pg_namespace.nspname, pg_class.relname, pg_attribute.attname, pg_attribute.attnum,
    pg_get_expr(pg_attrdef.adbin, pg_attrdef.adrelid), CASE WHEN pg_attribute.attnotnull THEN 'NO' ELSE 'YES' END,
    format_type(pg_attribute.atttypid, NULL),
    information_schema._pg_char_max_length(pg_attribute.atttypid, pg_attribute.atttypmod),
    information_schema._pg_numeric_precision(pg_attribute.atttypid, pg_attribute.atttypmod),
    information_schema._pg_numeric_scale(pg_attribute.atttypid, pg_attribute.atttypmod), NULL,
    CASE WHEN key_columns.sortkey_position > 0 THEN 'COMPOUND' END,
    coalesce(key_columns.sortkey_position, 0),
    CASE WHEN key_columns.is_distkey THEN 1 END,
    'none', pg_collation.collname
  FROM pg_class
  JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
  JOIN pg_attribute
    ON pg_attribute.attrelid = pg_class.oid AND pg_attribute.attnum > 0 AND NOT pg_attribute.attisdropped
  LEFT JOIN pg_attrdef
    ON pg_attrdef.adrelid = pg_class.oid AND pg_attrdef.adnum = pg_attribute.attnum
  LEFT JOIN pg_collation ON pg_collation.oid = pg_attribute.attcollation
  LEFT JOIN local_redshift.key_columns
    ON key_columns.table_id = pg_class.oid AND key_columns.column_number = pg_attribute.attnum
  WHERE pg_class.oid = relation AND has_column_privilege(relation, pg_attribute.attnum, 'SELECT')
  ORDER BY pg_attribute.attnum
$$;

-- Whoever may log in may read the catalog; most views show only what concerns the reader.
DO $$
DECLARE
  installed REGCLASS;
BEGIN
  FOR installed IN
    SELECT oid FROM pg_class
    WHERE relnamespace = 'pg_catalog'::REGNAMESPACE AND relkind = 'v' AND oid >= 16384
  LOOP
    EXECUTE format('GRANT SELECT ON %s TO PUBLIC', installed);
  END LOOP;
END $$;
