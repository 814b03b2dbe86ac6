-- Dealings between a client company and a vendor company, of all clients.
-- One row is a buyer-seller mapping.
{{ config(unique_key='relationship_id', dist='vendor_company_id', sort=['relationship_id', 'vendor_company_id']) }}
SELECT
  mappings.mapping_id AS relationship_id,
  mappings.client_company_id AS client_id,
  clients.company_name AS client_name,
  mappings.dealing_with_company_id AS vendor_company_id,
  companies.company_name AS vendor_company_name,
  companies.email AS vendor_email,
  companies.phone AS vendor_phone,
  companies.is_verified AS vendor_is_verified,
  companies.city_id AS vendor_city_id,
  cities.city_name AS vendor_city_name,
  countries.country_name AS vendor_country_name,
  mappings.vendor_code AS relationship_code,
  mappings.vrp_code,
  mappings.status AS relationship_status_code,
  CAST(
    CASE mappings.status
      WHEN 0 THEN 'Not Initiated'
      WHEN 1 THEN 'In Progress'
      WHEN 2 THEN 'Review Pending'
      WHEN 3 THEN 'Approval Pending'
      WHEN 4 THEN 'Rejected'
      WHEN 5 THEN 'Joined'
      ELSE 'Unknown'
    END
    AS VARCHAR(32)
  ) AS relationship_status,
  mappings.source AS relationship_source,
  CAST(EXTRACT(EPOCH FROM mappings.created_at) AS BIGINT) AS relationship_start_date,
  mappings.integration_status,
  mappings.dms_upload_status,
  mappings.auto_discount,
  mappings.meta_data,
  mappings.invited_by,
  CAST(inviters.full_name AS VARCHAR(257)) AS invited_by_name,
  inviters.email AS invited_by_email,
  CAST(
    CASE WHEN vendors.vendor_id IS NOT NULL AND vendor_mappings.mapping_id IS NOT NULL THEN 1 ELSE 0 END
    AS SMALLINT
  ) AS is_vendor_mapping,
  CAST(COALESCE(preferred_items.preferred_item_count, 0) AS BIGINT) AS preferred_item_count,
  CAST(preferred_items.preferred_item_ids AS VARCHAR(65535)) AS preferred_item_ids
FROM {{ ref('stg_buyer_seller_company_mappings') }} AS mappings
LEFT JOIN {{ ref('stg_companies') }} AS clients
  ON mappings.client_company_id = clients.company_id
LEFT JOIN {{ ref('stg_companies') }} AS companies
  ON mappings.dealing_with_company_id = companies.company_id
LEFT JOIN {{ ref('stg_cities') }} AS cities
  ON companies.city_id = cities.city_id
LEFT JOIN {{ ref('stg_countries') }} AS countries
  ON cities.country_id = countries.country_id
LEFT JOIN {{ ref('int_invited_by_users') }} AS inviters
  ON mappings.invited_by = inviters.user_id
LEFT JOIN {{ ref('int_vendor_companies') }} AS vendors
  ON mappings.dealing_with_company_id = vendors.vendor_id
LEFT JOIN {{ ref('int_vendor_mappings') }} AS vendor_mappings
  ON mappings.dealing_with_company_id = vendor_mappings.vendor_id
  AND mappings.mapping_id = vendor_mappings.mapping_id
LEFT JOIN {{ ref('int_preferred_vendor_mappings') }} AS preferred_items
  ON mappings.dealing_with_company_id = preferred_items.company_id
