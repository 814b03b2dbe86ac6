SELECT
  companies.id AS vendor_id,
  companies.city_id
FROM {{ source('docs_raw', 'companies') }} AS companies
