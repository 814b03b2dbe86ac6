-- How many companies, vendors of the client and users a city has.
-- One row is a city.
{{ config(unique_key='city_id', dist='city_id', sort=['city_id']) }}
WITH company_counts AS (
  SELECT
    companies.city_id,
    COUNT(*) AS company_count,
    COUNT(CASE WHEN companies.status = 1 THEN 1 END) AS active_company_count,
    COUNT(CASE WHEN companies.is_verified THEN 1 END) AS verified_company_count,
    AVG(CAST(companies.rating AS NUMERIC(18, 4))) AS average_company_rating,
    MIN(companies.created_at) AS first_company_created_at
  FROM {{ ref('stg_companies') }} AS companies
  GROUP BY
    companies.city_id
), vendor_counts AS (
  SELECT
    vendors.city_id,
    COUNT(*) AS qualified_vendor_count,
    COUNT(CASE WHEN vendors.is_verified THEN 1 END) AS verified_vendor_count
  FROM {{ ref('int_vendor_companies') }} AS vendors
  INNER JOIN {{ ref('int_vendor_mappings') }} AS mappings
    ON vendors.vendor_id = mappings.vendor_id
  GROUP BY
    vendors.city_id
), user_counts AS (
  SELECT
    users.city_id,
    COUNT(*) AS user_count,
    COUNT(CASE WHEN users.status = 1 THEN 1 END) AS active_user_count,
    COUNT(CASE WHEN users.is_phone_verified THEN 1 END) AS phone_verified_user_count
  FROM {{ ref('stg_users') }} AS users
  GROUP BY
    users.city_id
)
SELECT
  cities.city_id,
  cities.city_name,
  cities.state_id,
  cities.state_name,
  cities.country_id,
  countries.country_name,
  countries.country_code,
  cities.tier AS city_tier,
  cities.is_metro,
  cities.latitude,
  cities.longitude,
  CAST(COALESCE(company_counts.company_count, 0) AS BIGINT) AS company_count,
  CAST(COALESCE(company_counts.active_company_count, 0) AS BIGINT) AS active_company_count,
  CAST(COALESCE(company_counts.verified_company_count, 0) AS BIGINT) AS verified_company_count,
  CAST(COALESCE(vendor_counts.qualified_vendor_count, 0) AS BIGINT) AS qualified_vendor_count,
  CAST(COALESCE(vendor_counts.verified_vendor_count, 0) AS BIGINT) AS verified_vendor_count,
  CAST(ROUND(company_counts.average_company_rating, 2) AS NUMERIC(4, 2)) AS average_company_rating,
  CAST(EXTRACT(EPOCH FROM company_counts.first_company_created_at) AS BIGINT) AS first_company_created_at,
  CAST(COALESCE(user_counts.user_count, 0) AS BIGINT) AS user_count,
  CAST(COALESCE(user_counts.active_user_count, 0) AS BIGINT) AS active_user_count,
  CAST(COALESCE(user_counts.phone_verified_user_count, 0) AS BIGINT) AS phone_verified_user_count
FROM {{ ref('stg_cities') }} AS cities
LEFT JOIN {{ ref('stg_countries') }} AS countries
  ON cities.country_id = countries.country_id
LEFT JOIN company_counts
  ON cities.city_id = company_counts.city_id
LEFT JOIN vendor_counts
  ON cities.city_id = vendor_counts.city_id
LEFT JOIN user_counts
  ON cities.city_id = user_counts.city_id
