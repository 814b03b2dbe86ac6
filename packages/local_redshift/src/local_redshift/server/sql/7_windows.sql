-- Aggregates and window functions of Redshift that PostgreSQL lacks. An aggregate is a window function too.
-- No parameters. Run again whenever a file in this folder changes.

-- FIRST_VALUE and LAST_VALUE with IGNORE NULLS. A strict function of an aggregate is not called for NULL, and the first
-- value that is not NULL becomes the state.
CREATE OR REPLACE FUNCTION local_redshift.first_of(first_value ANYELEMENT, value ANYELEMENT) RETURNS ANYELEMENT
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT first_value
$$;

CREATE OR REPLACE FUNCTION local_redshift.last_of(last_value ANYELEMENT, value ANYELEMENT) RETURNS ANYELEMENT
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT value
$$;

CREATE OR REPLACE AGGREGATE local_redshift.first_not_null(ANYELEMENT) (
  SFUNC = local_redshift.first_of, STYPE = ANYELEMENT, PARALLEL = SAFE
);

CREATE OR REPLACE AGGREGATE local_redshift.last_not_null(ANYELEMENT) (
  SFUNC = local_redshift.last_of, STYPE = ANYELEMENT, PARALLEL = SAFE
);

-- MEDIAN --------------------------------------------------------------------------------------

-- Of whole numbers and NUMERIC it is a NUMERIC, of floating numbers a DOUBLE PRECISION, of times their own type.
-- The state is all values, which PostgreSQL's own array_append adds in place.
CREATE OR REPLACE FUNCTION local_redshift.middle(numbers NUMERIC []) RETURNS NUMERIC
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
  SELECT (sorted[(amount + 1) / 2] + sorted[(amount + 2) / 2]) * 0.5
  FROM (
    SELECT array_agg(number ORDER BY number) AS sorted, count(*) AS amount
    FROM unnest(numbers) AS number
    WHERE number IS NOT NULL
  ) AS present
);

CREATE OR REPLACE FUNCTION local_redshift.median_of(numbers SMALLINT []) RETURNS NUMERIC
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN local_redshift.middle(numbers::NUMERIC []);

CREATE OR REPLACE FUNCTION local_redshift.median_of(numbers INTEGER []) RETURNS NUMERIC
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN local_redshift.middle(numbers::NUMERIC []);

CREATE OR REPLACE FUNCTION local_redshift.median_of(numbers BIGINT []) RETURNS NUMERIC
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN local_redshift.middle(numbers::NUMERIC []);

CREATE OR REPLACE FUNCTION local_redshift.median_of(numbers NUMERIC []) RETURNS NUMERIC
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN local_redshift.middle(numbers);

CREATE OR REPLACE FUNCTION local_redshift.median_of(numbers DOUBLE PRECISION []) RETURNS DOUBLE PRECISION
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY number) FROM unnest(numbers) AS number);

CREATE OR REPLACE FUNCTION local_redshift.median_of(moments TIMESTAMP []) RETURNS TIMESTAMP
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
  SELECT TIMESTAMP '2000-01-01' + percentile_cont(0.5) WITHIN GROUP (ORDER BY moment - TIMESTAMP '2000-01-01')
  FROM unnest(moments) AS moment
);

CREATE OR REPLACE FUNCTION local_redshift.median_of(moments TIMESTAMPTZ []) RETURNS TIMESTAMPTZ
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN (
  SELECT
    TIMESTAMPTZ '2000-01-01 UTC'
    + percentile_cont(0.5) WITHIN GROUP (ORDER BY moment - TIMESTAMPTZ '2000-01-01 UTC')
  FROM unnest(moments) AS moment
);

CREATE OR REPLACE FUNCTION local_redshift.median_of(days DATE []) RETURNS DATE
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN local_redshift.median_of(days::TIMESTAMP [])::DATE;

CREATE OR REPLACE AGGREGATE pg_catalog.median(SMALLINT) (
  SFUNC = array_append, STYPE = SMALLINT [], FINALFUNC = local_redshift.median_of
);
CREATE OR REPLACE AGGREGATE pg_catalog.median(INTEGER) (
  SFUNC = array_append, STYPE = INTEGER [], FINALFUNC = local_redshift.median_of
);
CREATE OR REPLACE AGGREGATE pg_catalog.median(BIGINT) (
  SFUNC = array_append, STYPE = BIGINT [], FINALFUNC = local_redshift.median_of
);
CREATE OR REPLACE AGGREGATE pg_catalog.median(NUMERIC) (
  SFUNC = array_append, STYPE = NUMERIC [], FINALFUNC = local_redshift.median_of
);
CREATE OR REPLACE AGGREGATE pg_catalog.median(DOUBLE PRECISION) (
  SFUNC = array_append, STYPE = DOUBLE PRECISION [], FINALFUNC = local_redshift.median_of
);
CREATE OR REPLACE AGGREGATE pg_catalog.median(TIMESTAMP) (
  SFUNC = array_append, STYPE = TIMESTAMP [], FINALFUNC = local_redshift.median_of
);
CREATE OR REPLACE AGGREGATE pg_catalog.median(TIMESTAMPTZ) (
  SFUNC = array_append, STYPE = TIMESTAMPTZ [], FINALFUNC = local_redshift.median_of
);
CREATE OR REPLACE AGGREGATE pg_catalog.median(DATE) (
  SFUNC = array_append, STYPE = DATE [], FINALFUNC = local_redshift.median_of
);

-- PERCENTILE_CONT (…) WITHIN GROUP (…) OVER (…): the state begins with the percentile.
CREATE OR REPLACE FUNCTION local_redshift.with_percentile(
  state DOUBLE PRECISION [], percentile DOUBLE PRECISION, number DOUBLE PRECISION
)
RETURNS DOUBLE PRECISION []
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF state IS NULL THEN
    state := ARRAY[percentile];
  END IF;
  RETURN state || number;
END $$;

CREATE OR REPLACE FUNCTION local_redshift.percentile_of(state DOUBLE PRECISION []) RETURNS DOUBLE PRECISION
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (SELECT percentile_cont(state[1]) WITHIN GROUP (ORDER BY number) FROM unnest(state[2:]) AS number);

CREATE OR REPLACE AGGREGATE local_redshift.percentile_cont(DOUBLE PRECISION, DOUBLE PRECISION) (
  SFUNC = local_redshift.with_percentile, STYPE = DOUBLE PRECISION [], FINALFUNC = local_redshift.percentile_of
);

-- TRY_CAST ------------------------------------------------------------------------------------

-- NULL where a conversion fails for the value's sake. Pairs of types that the documentation does not list fail, as
-- strings and booleans do. In PostgreSQL a boolean has casts from and to INTEGER alone.
CREATE OR REPLACE FUNCTION local_redshift.try_cast(value ANYELEMENT, target ANYCOMPATIBLE, type_name TEXT)
RETURNS ANYCOMPATIBLE
LANGUAGE plpgsql STABLE AS $$
DECLARE
  numbers CONSTANT REGTYPE [] := ARRAY['smallint', 'integer', 'bigint'];
  from_kind TEXT := (SELECT typcategory FROM pg_type WHERE oid = pg_typeof(value));
  to_kind TEXT := (SELECT typcategory FROM pg_type WHERE oid = pg_typeof(target));
  permitted BOOLEAN;
  result target%TYPE;
BEGIN
  permitted := CASE
    WHEN 'B' NOT IN (from_kind, to_kind) THEN from_kind || to_kind NOT IN ('ND', 'DN')
    WHEN from_kind = 'B' THEN to_kind = 'B' OR pg_typeof(target) = ANY (numbers)
    ELSE pg_typeof(value) = ANY (numbers)
  END;
  IF NOT permitted THEN
    RAISE EXCEPTION USING
      MESSAGE = format('cannot cast type %s to %s', pg_typeof(value), pg_typeof(target)), ERRCODE = '42846';
  END IF;
  IF 'B' IN (from_kind, to_kind) AND from_kind <> to_kind THEN
    EXECUTE format('SELECT CAST(CAST($1 AS INTEGER) AS %s)', type_name) INTO result USING value;
  ELSE
    EXECUTE format('SELECT CAST($1 AS %s)', type_name) INTO result USING value;
  END IF;
  RETURN result;
EXCEPTION
  WHEN invalid_text_representation OR numeric_value_out_of_range OR invalid_datetime_format
    OR datetime_field_overflow OR string_data_right_truncation THEN
    RETURN NULL;
END $$;
