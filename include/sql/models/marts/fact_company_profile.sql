-- Who a company is, where it sits, and how many people and teams it has.
-- One row is a company.
{{ config(unique_key='company_id', dist='company_id', sort=['company_id']) }}
WITH user_counts AS (
  SELECT
    pocs.company_id,
    COUNT(*) AS user_count
  FROM {{ ref('int_vendor_all_pocs') }} AS pocs
  GROUP BY
    pocs.company_id
), team_counts AS (
  SELECT
    teams.company_id,
    COUNT(*) AS team_count
  FROM {{ ref('stg_teams') }} AS teams
  WHERE
    teams.status = 1
  GROUP BY
    teams.company_id
)
SELECT
  companies.company_id,
  companies.company_name,
  companies.email AS contact_email,
  companies.phone AS contact_phone,
  companies.address AS business_address,
  companies.category AS business_category_code,
  CAST(
    CASE companies.category
      WHEN 1 THEN 'Selling Firm'
      WHEN 2 THEN 'Brokerage'
      WHEN 4 THEN 'Subsidiary'
      ELSE 'Unknown'
    END
    AS VARCHAR(32)
  ) AS business_category,
  companies.supplier_type AS business_type,
  CAST(
    CASE
      WHEN companies.is_verified THEN 'Verified'
      WHEN NOT companies.is_verified THEN 'Not Verified'
      ELSE 'Unknown'
    END
    AS VARCHAR(32)
  ) AS verification_status,
  CAST(CASE WHEN companies.status = 1 THEN 1 ELSE 0 END AS SMALLINT) AS is_active,
  companies.company_status,
  companies.owner_name,
  companies.year_of_establishment,
  companies.number_of_employees,
  companies.website,
  companies.domain,
  companies.company_initials,
  companies.image_url,
  companies.coordinates,
  companies.rating,
  companies.trade_mode,
  companies.city_id,
  cities.city_name,
  cities.state_id,
  cities.state_name,
  cities.country_id,
  countries.country_name,
  countries.country_code,
  companies.created_by AS broker_company_id,
  brokers.company_name AS broker_company_name,
  companies.invited_by,
  CAST(inviters.full_name AS VARCHAR(257)) AS invited_by_name,
  inviters.email AS invited_by_email,
  companies.created_by_user,
  CAST(EXTRACT(EPOCH FROM companies.created_at) AS BIGINT) AS registered_at,
  CAST(COALESCE(user_counts.user_count, 0) AS BIGINT) AS user_count,
  CAST(COALESCE(team_counts.team_count, 0) AS BIGINT) AS team_count,
  CAST(tags.tag_names AS VARCHAR(65535)) AS tag_names
FROM {{ ref('stg_companies') }} AS companies
LEFT JOIN {{ ref('stg_cities') }} AS cities
  ON companies.city_id = cities.city_id
LEFT JOIN {{ ref('stg_countries') }} AS countries
  ON cities.country_id = countries.country_id
LEFT JOIN {{ ref('stg_companies') }} AS brokers
  ON companies.created_by = brokers.company_id
LEFT JOIN {{ ref('int_invited_by_users') }} AS inviters
  ON companies.invited_by = inviters.user_id
LEFT JOIN user_counts
  ON companies.company_id = user_counts.company_id
LEFT JOIN team_counts
  ON companies.company_id = team_counts.company_id
LEFT JOIN {{ ref('int_vendor_tags') }} AS tags
  ON companies.company_id = tags.company_id
