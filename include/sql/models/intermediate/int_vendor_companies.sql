-- Companies that can be vendors (active, of a vendor category), with their city and country.
-- One row is a company.
SELECT
  companies.company_id AS vendor_id,
  companies.company_name AS vendor_name,
  companies.email,
  companies.phone,
  companies.address,
  companies.coordinates,
  companies.city_id,
  cities.city_name,
  cities.state_id,
  cities.country_id,
  countries.country_name,
  countries.country_code,
  countries.phone_prefix,
  companies.category,
  CASE
    WHEN companies.created_by IS NOT NULL THEN 'Broker Created Firm'
    WHEN companies.category = 1 THEN 'Selling Firm'
    WHEN companies.category = 2 THEN 'Brokerage'
    WHEN companies.category = 4 THEN 'Subsidiary'
    ELSE 'Unknown'
  END AS vendor_type,
  companies.category_type,
  companies.supplier_type,
  companies.trade_mode,
  companies.rating,
  companies.is_verified,
  companies.gst_no,
  companies.pan_no,
  companies.tan_number,
  companies.fssai_code,
  companies.owner_name,
  companies.year_of_establishment,
  companies.number_of_employees,
  companies.website,
  companies.domain,
  companies.email_extension,
  companies.company_initials,
  companies.company_status,
  companies.image_url,
  companies.broker_for,
  companies.created_by,
  companies.created_by_user,
  companies.created_for_workspace,
  companies.allowed_modules,
  companies.app_configuration_id,
  companies.sso_enabled,
  companies.trade_requests_count,
  companies.intake_requests_count,
  companies.recommendation_identifier,
  companies.misc,
  companies.created_at
FROM {{ ref('stg_companies') }} AS companies
LEFT JOIN {{ ref('stg_cities') }} AS cities
  ON companies.city_id = cities.city_id
LEFT JOIN {{ ref('stg_countries') }} AS countries
  ON cities.country_id = countries.country_id
WHERE
  companies.status = 1
  AND companies.category IN (1, 2, 4)
