-- Tax registrations and financial standing of a company.
-- One row is a company; a credit limit that is missing or no plain number is NULL.
{{ config(unique_key='company_id', dist='company_id', sort=['company_id']) }}
WITH company_finances AS (
  SELECT
    companies.company_id,
    companies.company_name,
    companies.gst_no,
    companies.pan_no,
    companies.tan_number,
    companies.fssai_code,
    companies.gst_verification,
    NULLIF(TRIM(JSON_EXTRACT_PATH_TEXT(companies.gst_verification, 'status', TRUE)), '') AS gst_verification_status,
    JSON_EXTRACT_PATH_TEXT(companies.misc, 'credit', 'limit', TRUE) AS credit_limit_text,
    companies.tax_type_country_mapping_id,
    companies.city_id,
    companies.rating,
    companies.trade_requests_count,
    companies.intake_requests_count
  FROM {{ ref('stg_companies') }} AS companies
)
SELECT
  finances.company_id,
  finances.company_name,
  finances.gst_no AS gst_number,
  finances.pan_no AS pan_number,
  finances.tan_number,
  finances.fssai_code AS fssai_number,
  CAST(
    CASE
      WHEN TRIM(finances.gst_no) <> '' AND TRIM(finances.pan_no) <> '' AND TRIM(finances.tan_number) <> '' THEN 1
      ELSE 0
    END
    AS SMALLINT
  ) AS has_all_tax_numbers,
  finances.gst_verification,
  CAST(finances.gst_verification_status AS VARCHAR(1024)) AS gst_verification_status,
  CAST(CASE WHEN LOWER(finances.gst_verification_status) = 'verified' THEN 1 ELSE 0 END AS SMALLINT) AS is_gst_verified,
  scores.score_value AS financial_score,
  CAST(
    CASE
      WHEN scores.score_value >= 80 THEN 'High'
      WHEN scores.score_value >= 50 THEN 'Medium'
      WHEN scores.score_value < 50 THEN 'Low'
      ELSE 'Not Scored'
    END
    AS VARCHAR(16)
  ) AS financial_score_band,
  -- The guard keeps the cast from failing, and from a number that is too large for it.
  CASE
    WHEN finances.credit_limit_text ~ '^[0-9]{1,14}([.][0-9]{1,4})?$'
    THEN CAST(ROUND(CAST(finances.credit_limit_text AS NUMERIC(18, 4)), 2) AS NUMERIC(18, 2))
  END AS credit_limit,
  finances.tax_type_country_mapping_id,
  countries.country_name,
  countries.currency_code,
  finances.rating,
  finances.trade_requests_count,
  finances.intake_requests_count
FROM company_finances AS finances
LEFT JOIN {{ ref('stg_cities') }} AS cities
  ON finances.city_id = cities.city_id
LEFT JOIN {{ ref('stg_countries') }} AS countries
  ON cities.country_id = countries.country_id
LEFT JOIN {{ ref('int_vendor_scores') }} AS scores
  ON finances.company_id = scores.company_id
