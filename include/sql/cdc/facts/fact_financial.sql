-- The SELECT of fact_financial on the sources, its models as CTEs. Made by compiling; edit the models instead.
WITH __dbt__cte__stg_cities AS (
  /* Cities. */
  /* One row is a city. */
  SELECT
    id AS city_id,
    name AS city_name,
    coordinates,
    status,
    created_at,
    updated_at,
    apmc_configuration_id,
    state_id,
    country_id,
    city_code,
    alias,
    district,
    state_name,
    postal_code_prefix,
    latitude,
    longitude,
    time_zone,
    population,
    tier,
    is_metro,
    is_serviceable,
    serviceable_from,
    geoname_id,
    locale_names,
    logistics_zone_id,
    erp_id,
    created_by,
    updated_by,
    lock_version
  FROM public.cities AS cities
), __dbt__cte__stg_countries AS (
  /* Countries. */
  /* One row is a country. */
  SELECT
    id AS country_id,
    name AS country_name,
    country_code,
    phone_prefix,
    phone_number_length,
    created_at,
    flag_url,
    config,
    send_otp_allowed,
    updated_at,
    iso3_code,
    numeric_code,
    official_name,
    native_name,
    capital,
    region,
    subregion,
    currency_code,
    currency_symbol,
    currency_decimals,
    time_zone,
    locale,
    date_format,
    tax_type,
    tax_id_label,
    tax_id_pattern,
    postal_code_pattern,
    is_active,
    is_signup_allowed,
    display_position,
    created_by,
    updated_by
  FROM public.countries AS countries
), __dbt__cte__stg_companies AS (
  /* Firms on the marketplace. */
  /* One row is a company. */
  SELECT
    id AS company_id,
    name AS company_name,
    image_url,
    category,
    address,
    city_id,
    coordinates,
    phone,
    email,
    status,
    rating,
    email_extension,
    created_at,
    updated_at,
    pan_no,
    fssai_code,
    gst_no,
    created_by,
    is_verified,
    broker_for,
    owner_name,
    year_of_establishment,
    tan_number,
    number_of_employees,
    document_images,
    update_remarks,
    invited_by,
    domain,
    trade_mode,
    app_configuration_id,
    category_type,
    allowed_modules,
    supplier_type,
    website,
    company_initials,
    company_status,
    created_by_user,
    created_for_workspace,
    gst_verification,
    misc,
    sso_enabled,
    trade_requests_count,
    intake_requests_count,
    tax_type_country_mapping_id,
    recommendation_identifier
  FROM public.companies AS companies
), __dbt__cte__int_vendor_scores AS (
  /* One row is a company; a score that is missing or no plain number is NULL. */
  SELECT
    scores.company_id,
    CASE
      WHEN scores.score_text ~ '^-?[0-9]{1,9}([.][0-9]{1,9})?$'
      THEN CAST(ROUND(CAST(scores.score_text AS DECIMAL(18, 9)), 4) AS DECIMAL(14, 4))
    END AS score_value /* The guard keeps the cast from failing, and from a number that is too large for it. */
  FROM (
    SELECT
      companies.company_id,
      JSON_EXTRACT_PATH_TEXT(companies.misc, 'score', 'value', TRUE) AS score_text
    FROM __dbt__cte__stg_companies AS companies
  ) AS scores
), company_finances AS (
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
  FROM __dbt__cte__stg_companies AS companies
)
SELECT
  finances.company_id,
  finances.company_name,
  finances.gst_no AS gst_number,
  finances.pan_no AS pan_number,
  finances.tan_number,
  finances.fssai_code AS fssai_number,
  CAST(CASE
    WHEN TRIM(finances.gst_no) <> ''
    AND TRIM(finances.pan_no) <> ''
    AND TRIM(finances.tan_number) <> ''
    THEN 1
    ELSE 0
  END AS SMALLINT) AS has_all_tax_numbers,
  finances.gst_verification,
  CAST(finances.gst_verification_status AS VARCHAR(1024)) AS gst_verification_status,
  CAST(CASE WHEN LOWER(finances.gst_verification_status) = 'verified' THEN 1 ELSE 0 END AS SMALLINT) AS is_gst_verified,
  scores.score_value AS financial_score,
  CAST(CASE
    WHEN scores.score_value >= 80
    THEN 'High'
    WHEN scores.score_value >= 50
    THEN 'Medium'
    WHEN scores.score_value < 50
    THEN 'Low'
    ELSE 'Not Scored'
  END AS VARCHAR(16)) AS financial_score_band,
  CASE
    WHEN finances.credit_limit_text ~ '^[0-9]{1,14}([.][0-9]{1,4})?$'
    THEN CAST(ROUND(CAST(finances.credit_limit_text AS DECIMAL(18, 4)), 2) AS DECIMAL(18, 2))
  END AS credit_limit, /* The guard keeps the cast from failing, and from a number that is too large for it. */
  finances.tax_type_country_mapping_id,
  countries.country_name,
  countries.currency_code,
  finances.rating,
  finances.trade_requests_count,
  finances.intake_requests_count
FROM company_finances AS finances
LEFT JOIN __dbt__cte__stg_cities AS cities
  ON finances.city_id = cities.city_id
LEFT JOIN __dbt__cte__stg_countries AS countries
  ON cities.country_id = countries.country_id
LEFT JOIN __dbt__cte__int_vendor_scores AS scores
  ON finances.company_id = scores.company_id
