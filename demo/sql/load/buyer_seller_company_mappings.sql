-- Who deals with whom. The first mapping of a company follows its profile; every tenth company has a second one.
-- Grain: company and mapping number.
{% set row = '(seed_companies.number * 2 + seed_digits.digit)' %}
{% from 'macros.sql' import between, chance, decimal, digits, draw, later, one_of, staff, text, updated with context %}
{% set created_at = later('seed_companies.created_at', 'created_at', 'minute', 80000) %}
SELECT
  made.id,
  made.client_number + {{ first_company - 1 }} AS client_company_id,
  made.dealing_with_company_id,
  CASE WHEN made.client_number = {{ client_number }} THEN 'V' ELSE 'S' END || made.vendor_number AS vendor_code,
  made.status,
  made.created_at,
  made.updated_at,
  -- Staff number k of client c has the id c + (number of clients) * k.
  CASE WHEN made.is_invited THEN made.client_number + {{ clients }} * made.inviter_number END AS invited_by,
  made.source,
  made.auto_discount,
  made.vrp_code,
  made.integration_status,
  made.meta_data,
  made.dms_upload_status
FROM (
  SELECT
    (seed_companies.number - 1) * 2 + seed_digits.digit AS id,
    CASE
      WHEN seed_companies.profile BETWEEN 86 AND 91 AND seed_digits.digit = 1 THEN {{ client_number }} + 1 + {{ draw('client', clients - client_number) }}
      WHEN seed_digits.digit = 2 AND {{ chance('second client', 70) }} THEN 1 + {{ draw('client', client_number - 1) }}
      ELSE {{ client_number }}
    END AS client_number,
    seed_companies.id AS dealing_with_company_id,
    CASE WHEN {{ chance('vendor_code', 80) }} THEN {{ digits('vendor_code', 7) }} END AS vendor_number,
    CASE
      WHEN seed_digits.digit = 2 AND seed_companies.profile >= 60 THEN {{ between('status', 3, 5) }}
      WHEN seed_companies.profile BETWEEN 72 AND 77 THEN CASE {{ draw('status', 4) }} WHEN 0 THEN 0 ELSE {{ between('status', 3, 5) }} END
      WHEN {{ draw('status', 100) }} < 45 THEN 1
      WHEN {{ draw('status', 100) }} < 70 THEN 2
      ELSE 7
    END AS status,
    {{ created_at }} AS created_at,
    {{ updated(created_at) }} AS updated_at,
    NOT (seed_companies.profile BETWEEN 82 AND 85) AS is_invited,
    {{ draw('invited_by', staff_per_client) }} AS inviter_number,
    CASE
      WHEN seed_companies.profile BETWEEN 78 AND 81 THEN CASE {{ draw('source', 3) }} WHEN 0 THEN 2 WHEN 1 THEN 3 END
      ELSE {{ draw('source', 2) }}
    END AS source,
    CASE WHEN {{ chance('auto_discount', 30) }} THEN {{ decimal('auto_discount', 50, 1500, 2) }} END AS auto_discount,
    CASE WHEN {{ chance('vrp_code', 35) }} THEN 'VRP-' || {{ digits('vrp_code', 6) }} END AS vrp_code,
    {{ draw('integration_status', 4) }} AS integration_status,
    CASE
      WHEN {{ draw('meta_data', 100) }} < 5
      THEN '{"archived_at": ' || CAST(CAST(EXTRACT(EPOCH FROM {{ updated(created_at) }}) AS BIGINT) AS VARCHAR(20)) || ', "reason": "no orders"}'
      WHEN {{ draw('meta_data', 100) }} < 40 THEN '{"payment_terms": "' || {{ one_of('terms', ['Advance', '30 days', '60 days']) }} || '"}'
      WHEN {{ draw('meta_data', 100) }} < 60 THEN '{}'
    END AS meta_data,
    {{ draw('dms_upload_status', 3) }} AS dms_upload_status
  FROM seed_companies
  INNER JOIN seed_digits
    ON seed_digits.digit = 1
    OR (seed_digits.digit = 2 AND {{ chance('second mapping', 10) }})
  WHERE
    seed_companies.number > {{ clients }}
    AND seed_companies.profile < 92
) AS made
