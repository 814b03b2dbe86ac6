-- What PostgreSQL has under the same name as Redshift, and does in another way.
-- Its own operators, aggregates and casts are turned to other functions, in the catalog of this database alone. So the
-- meaning holds wherever PostgreSQL compares or converts: in GROUP BY, in an index, in what a function gives back.
-- No parameters. Run again whenever a file in this folder changes.

-- Trailing blanks -----------------------------------------------------------------------------

-- Redshift takes no account of them when it compares VARCHAR; PostgreSQL only so with CHAR, whose functions read the
-- same bytes. VARCHAR has no operators of its own in PostgreSQL, but those of TEXT. LENGTH, LIKE and || still see them.
UPDATE pg_operator
SET oprcode = bpchar.oprcode
FROM pg_operator AS bpchar
WHERE pg_operator.oprname = bpchar.oprname
  AND pg_operator.oprleft = 'text'::REGTYPE AND pg_operator.oprright = 'text'::REGTYPE
  AND bpchar.oprleft = 'bpchar'::REGTYPE AND bpchar.oprright = 'bpchar'::REGTYPE
  AND bpchar.oprname IN ('=', '<>', '<', '<=', '>', '>=');

-- Sorting, grouping, joining and indexes ask these. A data folder from before keeps its indexes: two orders differ
-- only where a blank meets a control character.
UPDATE pg_amproc
SET amproc = bpchar.amproc
FROM pg_amproc AS bpchar
JOIN pg_opfamily AS bpchar_family ON bpchar_family.oid = bpchar.amprocfamily
JOIN pg_opfamily AS text_family ON text_family.opfmethod = bpchar_family.opfmethod
JOIN pg_am ON pg_am.oid = bpchar_family.opfmethod
WHERE pg_amproc.amprocfamily = text_family.oid
  AND pg_amproc.amproclefttype = 'text'::REGTYPE AND pg_amproc.amprocrighttype = 'text'::REGTYPE
  AND pg_amproc.amprocnum = bpchar.amprocnum
  AND bpchar_family.opfname = 'bpchar_ops' AND text_family.opfname = 'text_ops' AND pg_am.amname IN ('btree', 'hash');

UPDATE pg_aggregate
SET aggtransfn = bpchar.aggtransfn, aggcombinefn = bpchar.aggcombinefn
FROM pg_aggregate AS bpchar
WHERE (pg_aggregate.aggfnoid, bpchar.aggfnoid) IN (
  ('min(text)'::REGPROCEDURE, 'min(bpchar)'::REGPROCEDURE),
  ('max(text)'::REGPROCEDURE, 'max(bpchar)'::REGPROCEDURE)
);

-- Averages of whole numbers -------------------------------------------------------------------

-- AVG of any whole numbers is a BIGINT, its fraction lost. The state is their number and their sum.
CREATE OR REPLACE FUNCTION local_redshift.average(state BIGINT []) RETURNS BIGINT
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN trunc(int8_avg(state));

CREATE OR REPLACE FUNCTION local_redshift.accumulate(state BIGINT [], number BIGINT) RETURNS BIGINT []
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN ARRAY[state[1] + 1, state[2] + number];
END $$;

UPDATE pg_aggregate
SET
  aggfinalfn = 'local_redshift.average',
  aggmfinalfn = CASE WHEN aggmfinalfn = 0 THEN 0 ELSE 'local_redshift.average'::REGPROC END
WHERE aggfnoid IN ('avg(smallint)'::REGPROCEDURE, 'avg(integer)'::REGPROCEDURE);

-- PostgreSQL keeps the state of this one in a form that only its own functions read.
UPDATE pg_aggregate
SET
  aggtransfn = 'local_redshift.accumulate', aggfinalfn = 'local_redshift.average',
  aggcombinefn = 'int4_avg_combine', aggserialfn = 0, aggdeserialfn = 0,
  aggtranstype = 'bigint[]'::REGTYPE, aggtransspace = 0, agginitval = '{0,0}',
  aggmtransfn = 0, aggminvtransfn = 0, aggmfinalfn = 0, aggmtranstype = 0, aggmtransspace = 0
WHERE aggfnoid = 'avg(bigint)'::REGPROCEDURE;

UPDATE pg_proc
SET prorettype = 'bigint'::REGTYPE
WHERE oid IN ('avg(smallint)'::REGPROCEDURE, 'avg(integer)'::REGPROCEDURE, 'avg(bigint)'::REGPROCEDURE);

-- Casts ---------------------------------------------------------------------------------------

-- An explicit cast of a NUMERIC to a smaller scale or to whole numbers cuts off (enable_numeric_rounding is off by
-- default); what is stored in a column of a smaller scale is rounded. The type modifier holds the scale as 11 bits.
-- In PL/pgSQL: an SQL function is inlined, and then a table that is made of the cast no longer has its precision.
CREATE OR REPLACE FUNCTION local_redshift.to_numeric(number NUMERIC, modifier INTEGER, explicit BOOLEAN)
RETURNS NUMERIC
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1 SUPPORT pg_catalog.numeric_support AS $$
BEGIN
  IF explicit THEN
    RETURN "numeric"(trunc(number, (((modifier - 4) & 2047) # 1024) - 1024), modifier);
  END IF;
  RETURN "numeric"(number, modifier);
END $$;

-- A floating number is rounded: dbt-utils' test of equal floats asks for it, and passes on Redshift.
CREATE OR REPLACE FUNCTION local_redshift.float_to_numeric(number DOUBLE PRECISION, modifier INTEGER, explicit BOOLEAN)
RETURNS NUMERIC
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1 AS $$
BEGIN
  RETURN "numeric"("numeric"(number), modifier);
END $$;

CREATE OR REPLACE FUNCTION local_redshift.real_to_numeric(number REAL, modifier INTEGER, explicit BOOLEAN)
RETURNS NUMERIC
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1 AS $$
BEGIN
  RETURN "numeric"("numeric"(number), modifier);
END $$;

CREATE OR REPLACE FUNCTION local_redshift.to_smallint(number NUMERIC, modifier INTEGER, explicit BOOLEAN)
RETURNS SMALLINT
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN int2(trunc(number, CASE WHEN explicit THEN 0 ELSE 2000 END));

CREATE OR REPLACE FUNCTION local_redshift.to_integer(number NUMERIC, modifier INTEGER, explicit BOOLEAN)
RETURNS INTEGER
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN int4(trunc(number, CASE WHEN explicit THEN 0 ELSE 2000 END));

CREATE OR REPLACE FUNCTION local_redshift.to_bigint(number NUMERIC, modifier INTEGER, explicit BOOLEAN)
RETURNS BIGINT
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN int8(trunc(number, CASE WHEN explicit THEN 0 ELSE 2000 END));

-- VARCHAR(n) holds n bytes. What is too long is cut by an explicit cast, between two characters, and refused by a column
-- unless only blanks are too many. The type modifier is n + 4. In PL/pgSQL: an SQL function would compute its argument
-- twice where PostgreSQL inlines it, and take six times as long where it does not.
CREATE OR REPLACE FUNCTION local_redshift.to_varchar(string VARCHAR, modifier INTEGER, explicit BOOLEAN)
RETURNS VARCHAR
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1 SUPPORT pg_catalog.varchar_support AS $$
DECLARE
  bytes INTEGER;
  kept VARCHAR;
BEGIN
  IF octet_length(string) <= modifier - 4 THEN
    RETURN string;
  END IF;
  bytes := modifier - 4;
  kept := left(string, bytes);
  WHILE octet_length(kept) > bytes LOOP
    kept := left(kept, least(-1, (bytes - octet_length(kept)) / 4));
  END LOOP;
  IF NOT explicit AND rtrim(substring(string FROM length(kept) + 1), ' ') <> '' THEN
    RAISE EXCEPTION USING
      MESSAGE = 'value too long for type character varying(' || bytes || ')', ERRCODE = '22001';
  END IF;
  RETURN kept;
END $$;

-- From whole numbers straight: they have as many bytes as characters, and ids are cast in joins, pair by pair.
CREATE OR REPLACE FUNCTION local_redshift.integer_to_varchar(number BIGINT, modifier INTEGER, explicit BOOLEAN)
RETURNS VARCHAR
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN "varchar"(varcharin(int8out(number), 'varchar'::REGTYPE, -1), modifier, explicit);

CREATE OR REPLACE FUNCTION local_redshift.integer_to_varchar(number INTEGER, modifier INTEGER, explicit BOOLEAN)
RETURNS VARCHAR
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN "varchar"(varcharin(int4out(number), 'varchar'::REGTYPE, -1), modifier, explicit);

CREATE OR REPLACE FUNCTION local_redshift.integer_to_varchar(number SMALLINT, modifier INTEGER, explicit BOOLEAN)
RETURNS VARCHAR
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN "varchar"(varcharin(int2out(number), 'varchar'::REGTYPE, -1), modifier, explicit);

DROP CAST IF EXISTS (BIGINT AS VARCHAR);
CREATE CAST (BIGINT AS VARCHAR)
WITH FUNCTION local_redshift.integer_to_varchar(BIGINT, INTEGER, BOOLEAN) AS ASSIGNMENT;
DROP CAST IF EXISTS (INTEGER AS VARCHAR);
CREATE CAST (INTEGER AS VARCHAR)
WITH FUNCTION local_redshift.integer_to_varchar(INTEGER, INTEGER, BOOLEAN) AS ASSIGNMENT;
DROP CAST IF EXISTS (SMALLINT AS VARCHAR);
CREATE CAST (SMALLINT AS VARCHAR)
WITH FUNCTION local_redshift.integer_to_varchar(SMALLINT, INTEGER, BOOLEAN) AS ASSIGNMENT;

-- A boolean has no cast to a string. PostgreSQL computes the constant call when it plans, so that there need be no row.
CREATE OR REPLACE FUNCTION local_redshift.boolean_to_varchar(truth BOOLEAN) RETURNS TEXT
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN local_redshift.refuse('cannot cast type boolean to character varying');

CREATE OR REPLACE FUNCTION pg_catalog.concat(string TEXT, truth BOOLEAN) RETURNS VARCHAR
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN local_redshift.boolean_to_varchar(truth);

CREATE OR REPLACE FUNCTION pg_catalog.concat(truth BOOLEAN, string TEXT) RETURNS VARCHAR
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN local_redshift.boolean_to_varchar(truth);

-- CONCAT of what is no string is PostgreSQL's own, which leaves NULL out.
UPDATE pg_proc
SET proisstrict = TRUE
WHERE oid = 'concat("any")'::REGPROCEDURE;

UPDATE pg_cast
SET castfunc = turned.to_function
FROM (
  VALUES
    ('numeric'::REGTYPE, 'numeric'::REGTYPE, 'local_redshift.to_numeric'::REGPROC),
    ('double precision', 'numeric', 'local_redshift.float_to_numeric'),
    ('real', 'numeric', 'local_redshift.real_to_numeric'),
    ('numeric', 'smallint', 'local_redshift.to_smallint'),
    ('numeric', 'integer', 'local_redshift.to_integer'),
    ('numeric', 'bigint', 'local_redshift.to_bigint'),
    ('varchar', 'varchar', 'local_redshift.to_varchar'),
    ('boolean', 'varchar', 'local_redshift.boolean_to_varchar'),
    ('boolean', 'text', 'local_redshift.boolean_to_varchar'),
    ('boolean', 'bpchar', 'local_redshift.boolean_to_varchar')
) AS turned (from_type, to_type, to_function)
WHERE castsource = from_type AND casttarget = to_type;
