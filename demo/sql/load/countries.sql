-- Every country, as GeoNames has it.
{% set row = 'seed_countries.country_id' %}
{% from 'macros.sql' import between, chance, later, staff, updated with context %}
{% set created_at = later("CAST('2019-06-01 06:00:00' AS TIMESTAMP)", 'created_at', 'minute', 40000) %}
SELECT
  seed_countries.country_id AS id,
  seed_countries.name,
  seed_countries.iso AS country_code,
  seed_countries.phone_prefix,
  CASE WHEN seed_countries.iso = 'IN' THEN 10 ELSE {{ between('phone_number_length', 7, 11) }} END AS phone_number_length,
  {{ created_at }} AS created_at,
  'https://assets.example/flags/' || LOWER(seed_countries.iso) || '.svg' AS flag_url,
  CASE
    WHEN {{ chance('config', 40) }}
    THEN '{"kyc": {"levels": ' || CAST({{ between('config', 1, 3) }} AS VARCHAR(20)) || '}, "otp": true}'
  END AS config,
  {{ chance('send_otp_allowed', 80) }} AS send_otp_allowed,
  {{ updated(created_at) }} AS updated_at,
  seed_countries.iso3 AS iso3_code,
  seed_countries.iso_number AS numeric_code,
  CASE seed_countries.iso
    WHEN 'IN' THEN 'Republic of India'
    WHEN 'NP' THEN 'Federal Democratic Republic of Nepal'
    ELSE seed_countries.name
  END AS official_name,
  CASE seed_countries.iso
    WHEN 'IN' THEN 'भारत'
    WHEN 'DE' THEN 'Deutschland'
    WHEN 'ES' THEN 'España'
    WHEN 'JP' THEN '日本'
  END AS native_name,
  seed_countries.capital,
  CASE seed_countries.continent
    WHEN 'AF' THEN 'Africa'
    WHEN 'AN' THEN 'Antarctica'
    WHEN 'AS' THEN 'Asia'
    WHEN 'EU' THEN 'Europe'
    WHEN 'NA' THEN 'North America'
    WHEN 'OC' THEN 'Oceania'
    WHEN 'SA' THEN 'South America'
  END AS region,
  CASE WHEN seed_countries.iso IN ('AF', 'BD', 'BT', 'IN', 'LK', 'MV', 'NP', 'PK') THEN 'Southern Asia' END AS subregion,
  seed_countries.currency AS currency_code,
  CASE seed_countries.currency
    WHEN 'INR' THEN '₹'
    WHEN 'USD' THEN '$'
    WHEN 'EUR' THEN '€'
    WHEN 'GBP' THEN '£'
    WHEN 'JPY' THEN '¥'
  END AS currency_symbol,
  CASE
    WHEN seed_countries.currency IN ('JPY', 'KRW', 'VND') THEN 0
    WHEN seed_countries.currency IN ('BHD', 'KWD', 'OMR') THEN 3
    ELSE 2
  END AS currency_decimals,
  largest_cities.time_zone,
  seed_countries.locale,
  CASE WHEN seed_countries.iso = 'US' THEN 'MM/DD/YYYY' ELSE 'DD/MM/YYYY' END AS date_format,
  CASE
    WHEN seed_countries.iso IN ('AU', 'CA', 'IN', 'NZ', 'SG') THEN 'GST'
    WHEN seed_countries.iso = 'US' THEN 'Sales Tax'
    ELSE 'VAT'
  END AS tax_type,
  CASE WHEN seed_countries.iso = 'IN' THEN 'GSTIN' ELSE 'Tax number' END AS tax_id_label,
  CASE
    WHEN seed_countries.iso = 'IN'
    THEN '^[0-9][0-9][A-Z][A-Z][A-Z][A-Z][A-Z][0-9][0-9][0-9][0-9][A-Z][0-9A-Z]Z[0-9A-Z]$'
  END AS tax_id_pattern,
  seed_countries.postal_code_pattern,
  seed_countries.iso <> 'AQ' AS is_active,
  seed_countries.iso = 'IN' OR {{ chance('is_signup_allowed', 60) }} AS is_signup_allowed,
  CASE WHEN seed_countries.iso = 'IN' THEN 1 ELSE 1 + seed_countries.country_id END AS display_position,
  {{ staff('1', 'created_by') }} AS created_by,
  CASE WHEN {{ chance('updated_by', 40) }} THEN {{ staff('1', 'updated_by') }} END AS updated_by
FROM seed_countries
LEFT JOIN (
  SELECT
    seed_cities.country_id,
    seed_cities.time_zone,
    ROW_NUMBER() OVER (
      PARTITION BY seed_cities.country_id
      ORDER BY seed_cities.population DESC, seed_cities.city_id
    ) AS city_number
  FROM seed_cities
) AS largest_cities
  ON seed_countries.country_id = largest_cities.country_id
  AND largest_cities.city_number = 1
