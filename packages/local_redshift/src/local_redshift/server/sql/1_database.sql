-- How the warehouse database differs from a new database of PostgreSQL.
-- No parameters.

-- The trigger of an older installation is none of this one's business.
SET LOCAL event_triggers = off;

-- A new installation takes the place of the old one's row.
CREATE SCHEMA IF NOT EXISTS local_redshift;
GRANT USAGE ON SCHEMA local_redshift TO PUBLIC;
DROP TABLE IF EXISTS local_redshift.installed;
CREATE TABLE local_redshift.installed (version TEXT NOT NULL);

-- The views and functions of this folder belong to pg_catalog.
SET LOCAL allow_system_table_mods = on;

-- The collations of Redshift, as what a column's definition says. PostgreSQL is built without ICU here, so both compare
-- alike, as the database does.
CREATE COLLATION IF NOT EXISTS pg_catalog.case_sensitive (PROVIDER = builtin, LOCALE = 'C.UTF-8');
CREATE COLLATION IF NOT EXISTS pg_catalog.case_insensitive (PROVIDER = builtin, LOCALE = 'C.UTF-8');

-- Redshift's default isolation level is SNAPSHOT: a transaction sees the database as it was at its
-- first statement that reads or writes.
ALTER DATABASE dev SET default_transaction_isolation = 'repeatable read';

-- A backslash escapes in a literal, as in the PostgreSQL 8.0 that Redshift comes from.
ALTER DATABASE dev SET standard_conforming_strings = off;
ALTER DATABASE dev SET escape_string_warning = off;
ALTER DATABASE dev SET backslash_quote = on;
