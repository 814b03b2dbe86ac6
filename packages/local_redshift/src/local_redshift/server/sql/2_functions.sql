-- Redshift's functions that PostgreSQL lacks, in pg_catalog so that no search_path hides them.
-- Functions of a name that PostgreSQL has with another meaning are in the schema local_redshift.
-- No parameters. Run again whenever a file in this folder changes.

-- The message must depend on an argument of the caller: PostgreSQL computes a constant call when it
-- plans, whether its branch of a CASE is taken or not.
CREATE OR REPLACE FUNCTION local_redshift.refuse(message TEXT) RETURNS TEXT
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = message, ERRCODE = '22023';
END $$;

-- What the gateway sends in place of a statement that Redshift refuses (refusal.py).
CREATE OR REPLACE FUNCTION local_redshift.refuse(code TEXT, message TEXT, reason TEXT, advice TEXT) RETURNS TEXT
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message, DETAIL = reason, HINT = advice;
END $$;

-- Dates ---------------------------------------------------------------------------------------

-- The statement's start, to the second; SYSDATE is the transaction's start, to the microsecond.
CREATE OR REPLACE FUNCTION pg_catalog.getdate() RETURNS TIMESTAMP
LANGUAGE sql STABLE PARALLEL SAFE
RETURN date_trunc('second', statement_timestamp()::TIMESTAMP);

CREATE OR REPLACE FUNCTION pg_catalog.sysdate() RETURNS TIMESTAMP
LANGUAGE sql STABLE PARALLEL SAFE
RETURN transaction_timestamp()::TIMESTAMP;

CREATE OR REPLACE FUNCTION local_redshift.date_part_interval(part TEXT) RETURNS INTERVAL
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE part
  WHEN 'microseconds' THEN INTERVAL '1 microsecond'
  WHEN 'milliseconds' THEN INTERVAL '1 millisecond'
  WHEN 'second' THEN INTERVAL '1 second'
  WHEN 'minute' THEN INTERVAL '1 minute'
  WHEN 'hour' THEN INTERVAL '1 hour'
  WHEN 'day' THEN INTERVAL '1 day'
  WHEN 'doy' THEN INTERVAL '1 day'
  WHEN 'dow' THEN INTERVAL '1 day'
  WHEN 'week' THEN INTERVAL '7 days'
  WHEN 'month' THEN INTERVAL '1 month'
  WHEN 'quarter' THEN INTERVAL '3 months'
  WHEN 'year' THEN INTERVAL '1 year'
  WHEN 'decade' THEN INTERVAL '10 years'
  WHEN 'century' THEN INTERVAL '100 years'
  WHEN 'millennium' THEN INTERVAL '1000 years'
  ELSE local_redshift.refuse('DATEADD: unknown date part "' || part || '"')::INTERVAL
END;

-- February 29 and some years is March 1, whereas February 29 and 12 months is February 28.
CREATE OR REPLACE FUNCTION pg_catalog.date_add(part TEXT, amount BIGINT, start_time TIMESTAMP)
RETURNS TIMESTAMP
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN start_time + amount * local_redshift.date_part_interval(part) + CASE
  WHEN part = 'year' AND EXTRACT(DAY FROM start_time) = 29
    AND EXTRACT(DAY FROM start_time + amount * INTERVAL '1 year') = 28 THEN INTERVAL '1 day'
  ELSE INTERVAL '0'
END;

CREATE OR REPLACE FUNCTION pg_catalog.date_add(part TEXT, amount BIGINT, start_time DATE)
RETURNS TIMESTAMP
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN date_add(part, amount, start_time::TIMESTAMP);

-- For a literal, which otherwise would become a TIMESTAMPTZ.
CREATE OR REPLACE FUNCTION pg_catalog.date_add(part TEXT, amount BIGINT, start_time TEXT)
RETURNS TIMESTAMP
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN date_add(part, amount, start_time::TIMESTAMP);

CREATE OR REPLACE FUNCTION pg_catalog.date_add(part TEXT, amount BIGINT, start_time TIMESTAMPTZ)
RETURNS TIMESTAMPTZ
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN start_time + amount * local_redshift.date_part_interval(part);

CREATE OR REPLACE FUNCTION pg_catalog.date_add(part TEXT, amount BIGINT, start_time TIME)
RETURNS TIME
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN start_time + amount * local_redshift.date_part_interval(part);

-- Counts the boundaries between the two times. Weeks begin on Monday, as in DATE_TRUNC.
CREATE OR REPLACE FUNCTION pg_catalog.date_diff(part TEXT, start_time TIMESTAMP, end_time TIMESTAMP)
RETURNS BIGINT
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE part
  WHEN 'day' THEN end_time::DATE - start_time::DATE
  WHEN 'doy' THEN end_time::DATE - start_time::DATE
  WHEN 'dow' THEN end_time::DATE - start_time::DATE
  WHEN 'week' THEN
    (date_trunc('week', end_time)::DATE - date_trunc('week', start_time)::DATE) / 7
  WHEN 'month' THEN
    12 * (EXTRACT(YEAR FROM end_time) - EXTRACT(YEAR FROM start_time))
    + EXTRACT(MONTH FROM end_time) - EXTRACT(MONTH FROM start_time)
  WHEN 'quarter' THEN
    4 * (EXTRACT(YEAR FROM end_time) - EXTRACT(YEAR FROM start_time))
    + EXTRACT(QUARTER FROM end_time) - EXTRACT(QUARTER FROM start_time)
  WHEN 'year' THEN EXTRACT(YEAR FROM end_time) - EXTRACT(YEAR FROM start_time)
  WHEN 'decade' THEN EXTRACT(DECADE FROM end_time) - EXTRACT(DECADE FROM start_time)
  WHEN 'century' THEN EXTRACT(CENTURY FROM end_time) - EXTRACT(CENTURY FROM start_time)
  WHEN 'millennium' THEN EXTRACT(MILLENNIUM FROM end_time) - EXTRACT(MILLENNIUM FROM start_time)
  WHEN 'hour' THEN
    floor(EXTRACT(EPOCH FROM end_time) / 3600) - floor(EXTRACT(EPOCH FROM start_time) / 3600)
  WHEN 'minute' THEN
    floor(EXTRACT(EPOCH FROM end_time) / 60) - floor(EXTRACT(EPOCH FROM start_time) / 60)
  WHEN 'second' THEN
    floor(EXTRACT(EPOCH FROM end_time)) - floor(EXTRACT(EPOCH FROM start_time))
  WHEN 'milliseconds' THEN
    floor(EXTRACT(EPOCH FROM end_time) * 1000) - floor(EXTRACT(EPOCH FROM start_time) * 1000)
  WHEN 'microseconds' THEN
    (EXTRACT(EPOCH FROM end_time) - EXTRACT(EPOCH FROM start_time)) * 1000000
  ELSE local_redshift.refuse('DATEDIFF: unknown date part "' || part || '"')::NUMERIC
END;

CREATE OR REPLACE FUNCTION pg_catalog.date_diff(part TEXT, start_time TEXT, end_time TEXT)
RETURNS BIGINT
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN date_diff(part, start_time::TIMESTAMP, end_time::TIMESTAMP);

CREATE OR REPLACE FUNCTION pg_catalog.date_diff(
  part TEXT, start_time TIMESTAMPTZ, end_time TIMESTAMPTZ
)
RETURNS BIGINT
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN date_diff(part, start_time::TIMESTAMP, end_time::TIMESTAMP);

CREATE OR REPLACE FUNCTION pg_catalog.date_diff(part TEXT, start_time TIME, end_time TIME)
RETURNS BIGINT
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN date_diff(part, DATE '2000-01-01' + start_time, DATE '2000-01-01' + end_time);

-- PostgreSQL has none for dates, and would make a TIMESTAMPTZ of it.
CREATE OR REPLACE FUNCTION pg_catalog.date_trunc(part TEXT, day DATE) RETURNS TIMESTAMP
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN date_trunc(part, day::TIMESTAMP);

CREATE OR REPLACE FUNCTION pg_catalog.trunc(moment TIMESTAMP) RETURNS DATE
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN moment::DATE;

CREATE OR REPLACE FUNCTION pg_catalog.last_day(moment TIMESTAMP) RETURNS DATE
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (date_trunc('month', moment) + INTERVAL '1 month - 1 day')::DATE;

-- The last day of a month plus months is a last day again.
CREATE OR REPLACE FUNCTION pg_catalog.add_months(moment TIMESTAMP, months BIGINT) RETURNS TIMESTAMP
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
  WHEN moment::DATE = last_day(moment)
    THEN last_day(moment + months * INTERVAL '1 month') + moment::TIME
  ELSE moment + months * INTERVAL '1 month'
END;

CREATE OR REPLACE FUNCTION pg_catalog.months_between(later TIMESTAMP, earlier TIMESTAMP)
RETURNS DOUBLE PRECISION
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN date_diff('month', earlier, later) + CASE
  WHEN later::DATE = last_day(later) AND earlier::DATE = last_day(earlier) THEN 0
  WHEN EXTRACT(DAY FROM later) = EXTRACT(DAY FROM earlier) THEN 0
  ELSE (
    EXTRACT(DAY FROM later) - EXTRACT(DAY FROM earlier)
    + EXTRACT(EPOCH FROM later::TIME - earlier::TIME) / 86400
  ) / 31
END;

CREATE OR REPLACE FUNCTION pg_catalog.convert_timezone(target TEXT, moment TIMESTAMP)
RETURNS TIMESTAMP
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN moment AT TIME ZONE 'UTC' AT TIME ZONE target;

CREATE OR REPLACE FUNCTION pg_catalog.convert_timezone(source TEXT, target TEXT, moment TIMESTAMP)
RETURNS TIMESTAMP
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN moment AT TIME ZONE source AT TIME ZONE target;

-- A date or a time is a string where one is asked for.
CREATE OR REPLACE FUNCTION pg_catalog.to_date(given DATE, format TEXT) RETURNS DATE
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN to_date(given::TEXT, format);

CREATE OR REPLACE FUNCTION pg_catalog.to_date(given TIMESTAMP, format TEXT) RETURNS DATE
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN to_date(given::TEXT, format);

-- Strings and numbers -------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION pg_catalog.len(string TEXT) RETURNS INTEGER
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN length(string);

CREATE OR REPLACE FUNCTION pg_catalog.textlen(string TEXT) RETURNS INTEGER
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN length(string);

CREATE OR REPLACE FUNCTION pg_catalog.charindex(part TEXT, string TEXT) RETURNS INTEGER
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN strpos(string, part);

CREATE OR REPLACE FUNCTION pg_catalog.replicate(string TEXT, times INTEGER) RETURNS VARCHAR
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN repeat(string, times);

-- Two arguments, and NULL when one of them is; PostgreSQL's takes any number and leaves NULL out.
CREATE OR REPLACE FUNCTION pg_catalog.concat(first_string TEXT, second_string TEXT) RETURNS VARCHAR
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN first_string || second_string;

CREATE OR REPLACE FUNCTION pg_catalog.round(number DOUBLE PRECISION, digits INTEGER)
RETURNS DOUBLE PRECISION
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(number::NUMERIC, digits)::DOUBLE PRECISION;

-- Else a whole number would become a DOUBLE PRECISION, now that there is a ROUND for these.
CREATE OR REPLACE FUNCTION pg_catalog.round(number INTEGER, digits INTEGER) RETURNS NUMERIC
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(number::NUMERIC, digits);

CREATE OR REPLACE FUNCTION pg_catalog.round(number BIGINT, digits INTEGER) RETURNS NUMERIC
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(number::NUMERIC, digits);

CREATE OR REPLACE FUNCTION pg_catalog.sha2(string TEXT, bits INTEGER) RETURNS VARCHAR
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN encode(
  CASE bits
    WHEN 224 THEN sha224(convert_to(string, 'UTF8'))
    WHEN 384 THEN sha384(convert_to(string, 'UTF8'))
    WHEN 512 THEN sha512(convert_to(string, 'UTF8'))
    ELSE sha256(convert_to(string, 'UTF8'))
  END,
  'hex'
);

CREATE OR REPLACE FUNCTION pg_catalog.strtol(string TEXT, base INTEGER) RETURNS BIGINT
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  digits TEXT := lower(ltrim(string));
  negative BOOLEAN := digits LIKE '-%';
  digit INTEGER;
  result NUMERIC := 0;
BEGIN
  digits := ltrim(digits, '+-');
  IF base = 16 AND digits LIKE '0x%' THEN
    digits := substring(digits FROM 3);
  END IF;
  FOR position IN 1 .. length(digits) LOOP
    digit := strpos('0123456789abcdefghijklmnopqrstuvwxyz', substring(digits FROM position FOR 1)) - 1;
    IF digit < 0 OR digit >= base THEN
      RAISE EXCEPTION 'The input % is not valid to be converted to base %', string, base
        USING ERRCODE = '22P02';
    END IF;
    result := result * base + digit;
  END LOOP;
  RETURN CASE WHEN negative THEN -result ELSE result END;
END $$;

-- An empty string when nothing matches. Of the options, e (the first group) and i have a meaning;
-- p (Perl's syntax) changes nothing, for PostgreSQL knows look-ahead anyway.
CREATE OR REPLACE FUNCTION local_redshift.regexp_substr(
  string TEXT, pattern TEXT, start_at INTEGER DEFAULT 1, occurrence INTEGER DEFAULT 1,
  options TEXT DEFAULT ''
)
RETURNS VARCHAR
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN coalesce(
  regexp_substr(
    string, pattern, greatest(start_at, 1), occurrence, translate(options, 'ep', ''),
    CASE WHEN options LIKE '%e%' THEN 1 ELSE 0 END
  ),
  ''
);

-- Replaces every match; PostgreSQL's replaces the first.
CREATE OR REPLACE FUNCTION local_redshift.regexp_replace(
  string TEXT, pattern TEXT, replacement TEXT DEFAULT '', start_at INTEGER DEFAULT 1,
  options TEXT DEFAULT ''
)
RETURNS VARCHAR
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(string, pattern, replacement, start_at, 0, translate(options, 'ep', ''));

-- Around the strings that the gateway has made of LISTAGG.
CREATE OR REPLACE FUNCTION pg_catalog.listagg(string TEXT) RETURNS TEXT
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
  WHEN octet_length(string) <= 65535 THEN string
  ELSE local_redshift.refuse('Result size exceeds LISTAGG limit' || left(string, 0))
END;

-- JSON ----------------------------------------------------------------------------------------

-- A path that does not exist gives NULL (until 2023 the documentation said an empty string).
CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(string TEXT, VARIADIC path TEXT [])
RETURNS VARCHAR
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN string::JSON #>> path;

-- In PL/pgSQL: in an SQL function PostgreSQL converts a constant before it asks whether to.
CREATE OR REPLACE FUNCTION local_redshift.json_or_null(string TEXT, null_if_invalid BOOLEAN)
RETURNS JSON
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF null_if_invalid AND string IS NOT JSON THEN
    RETURN NULL;
  END IF;
  RETURN string;
END $$;

CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(
  string TEXT, a TEXT, null_if_invalid BOOLEAN
)
RETURNS VARCHAR
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN local_redshift.json_or_null(string, null_if_invalid) #>> ARRAY[a];

CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(
  string TEXT, a TEXT, b TEXT, null_if_invalid BOOLEAN
)
RETURNS VARCHAR
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN local_redshift.json_or_null(string, null_if_invalid) #>> ARRAY[a, b];

CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(
  string TEXT, a TEXT, b TEXT, c TEXT, null_if_invalid BOOLEAN
)
RETURNS VARCHAR
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN local_redshift.json_or_null(string, null_if_invalid) #>> ARRAY[a, b, c];

CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(
  string TEXT, a TEXT, b TEXT, c TEXT, d TEXT, null_if_invalid BOOLEAN
)
RETURNS VARCHAR
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN local_redshift.json_or_null(string, null_if_invalid) #>> ARRAY[a, b, c, d];

CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(
  string TEXT, a TEXT, b TEXT, c TEXT, d TEXT, e TEXT, null_if_invalid BOOLEAN
)
RETURNS VARCHAR
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN local_redshift.json_or_null(string, null_if_invalid) #>> ARRAY[a, b, c, d, e];

CREATE OR REPLACE FUNCTION pg_catalog.json_extract_array_element_text(
  string TEXT, item INTEGER, null_if_invalid BOOLEAN DEFAULT FALSE
)
RETURNS VARCHAR
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
  WHEN item >= 0 THEN local_redshift.json_or_null(string, null_if_invalid) ->> item
END;

CREATE OR REPLACE FUNCTION pg_catalog.json_array_length(
  string TEXT, null_if_invalid BOOLEAN DEFAULT FALSE
)
RETURNS INTEGER
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN json_array_length(local_redshift.json_or_null(string, null_if_invalid));

CREATE OR REPLACE FUNCTION pg_catalog.is_valid_json(string TEXT) RETURNS BOOLEAN
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN string IS JSON;

CREATE OR REPLACE FUNCTION pg_catalog.is_valid_json_array(string TEXT) RETURNS BOOLEAN
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN string IS JSON ARRAY;

CREATE OR REPLACE FUNCTION pg_catalog.json_parse(string TEXT) RETURNS JSONB
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN string::JSONB;

CREATE OR REPLACE FUNCTION pg_catalog.json_serialize(value JSONB) RETURNS VARCHAR
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN value::TEXT;

CREATE OR REPLACE FUNCTION pg_catalog.can_json_parse(string TEXT) RETURNS BOOLEAN
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN string IS JSON;

-- Catalog -------------------------------------------------------------------------------------

-- What the administrator has set: ALTER DATABASE dev SET redshift.db_collation = 'case_insensitive'.
CREATE OR REPLACE FUNCTION pg_catalog.db_collation() RETURNS VARCHAR
LANGUAGE sql STABLE
RETURN CASE
  WHEN EXISTS (
    SELECT 1
    FROM pg_db_role_setting
    JOIN pg_database ON pg_database.oid = pg_db_role_setting.setdatabase
    WHERE pg_database.datname = current_database()
      AND pg_db_role_setting.setrole = 0
      AND 'redshift.db_collation=case_insensitive' = ANY (pg_db_role_setting.setconfig)
  ) THEN 'case_insensitive'
  ELSE 'case_sensitive'
END;

-- Views are always bound here.
CREATE OR REPLACE FUNCTION pg_catalog.pg_get_late_binding_view_cols() RETURNS SETOF RECORD
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN;
END $$;

-- Patterns ------------------------------------------------------------------------------------

-- Numbers and times become strings of themselves where a pattern stands beside them (c_Supported_data_types), LIKE and
-- SIMILAR TO being operators too.
DO $$
DECLARE
  matched REGTYPE;
  pattern RECORD;
BEGIN
  FOREACH matched IN ARRAY ARRAY['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision', 'date',
                                 'timestamp', 'timestamptz']::REGTYPE[] LOOP
    FOR pattern IN SELECT * FROM (VALUES
      ('~', 'matches'), ('!~', 'does_not_match'), ('~*', 'imatches'), ('!~*', 'does_not_imatch'),
      ('~~', 'is_like'), ('!~~', 'is_not_like'), ('~~*', 'is_ilike'), ('!~~*', 'is_not_ilike')
    ) AS known (sign, name) LOOP
      EXECUTE format(
        'CREATE OR REPLACE FUNCTION local_redshift.%I(matched %s, pattern TEXT) RETURNS BOOLEAN'
        ' LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN matched::TEXT OPERATOR(pg_catalog.%s) pattern',
        pattern.name, matched, pattern.sign
      );
      IF to_regoperator(format('pg_catalog.%s(%s,text)', pattern.sign, matched)) IS NULL THEN
        EXECUTE format(
          'CREATE OPERATOR pg_catalog.%s (LEFTARG = %s, RIGHTARG = TEXT, FUNCTION = local_redshift.%I)',
          pattern.sign, matched, pattern.name
        );
      END IF;
    END LOOP;
  END LOOP;
END $$;
