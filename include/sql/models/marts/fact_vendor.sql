-- Vendors of the client with their points of contact.
-- One row is a vendor and a point of contact; a vendor without any has one row, whose key ends in no_poc.
{{ config(
  unique_key='vendor_id_poc_id',
  meta={'cdc': {'anchor': 'vendor_id'}},
  dist='vendor_id',
  sort=['vendor_id', 'vendor_id_poc_id']
) }}
SELECT
  CAST(
    CAST(vendors.vendor_id AS VARCHAR(20)) || '_' || COALESCE(CAST(pocs.poc_id AS VARCHAR(20)), 'no_poc')
    AS VARCHAR(41)
  ) AS vendor_id_poc_id,
  mappings.client_company_id,
  vendors.vendor_id,
  vendors.vendor_name,
  vendors.email AS vendor_email,
  CAST(COALESCE(NULLIF(TRIM(vendors.phone), ''), pocs.poc_phone) AS VARCHAR(32)) AS primary_contact_phone,
  vendors.gst_no,
  vendors.pan_no,
  vendors.tan_number,
  vendors.fssai_code,
  vendors.city_id,
  vendors.city_name,
  vendors.state_id,
  vendors.country_id,
  vendors.country_name,
  vendors.country_code,
  vendors.phone_prefix,
  vendors.address,
  vendors.coordinates,
  CAST(EXTRACT(EPOCH FROM vendors.created_at) AS BIGINT) AS vendor_created_at,
  CAST(vendors.vendor_type AS VARCHAR(32)) AS vendor_type,
  vendors.category,
  vendors.category_type,
  vendors.supplier_type,
  vendors.trade_mode,
  vendors.rating,
  vendors.is_verified,
  vendors.owner_name,
  vendors.year_of_establishment,
  vendors.number_of_employees,
  vendors.website,
  vendors.domain,
  vendors.email_extension,
  vendors.company_initials,
  vendors.company_status,
  vendors.image_url,
  vendors.broker_for,
  vendors.created_by,
  vendors.created_by_user,
  vendors.created_for_workspace,
  vendors.allowed_modules,
  vendors.app_configuration_id,
  vendors.sso_enabled,
  vendors.trade_requests_count,
  vendors.intake_requests_count,
  vendors.recommendation_identifier,
  vendors.misc,
  scores.score_value,
  mappings.mapping_id,
  mappings.joining_status,
  CAST(mappings.joining_status_label AS VARCHAR(32)) AS joining_status_label,
  mappings.source,
  mappings.vendor_code,
  mappings.vrp_code,
  mappings.auto_discount,
  mappings.integration_status,
  mappings.dms_upload_status,
  mappings.archived_at,
  CAST(EXTRACT(EPOCH FROM mappings.created_at) AS BIGINT) AS network_joined_date,
  mappings.invited_by,
  CAST(inviters.full_name AS VARCHAR(257)) AS invited_by_name,
  inviters.email AS invited_by_email,
  CAST(categories.category_names AS VARCHAR(65535)) AS category_names,
  CAST(tags.tag_names AS VARCHAR(65535)) AS tag_names,
  CAST(preferred_items.preferred_item_ids AS VARCHAR(65535)) AS preferred_item_ids,
  pocs.poc_id,
  CAST(pocs.poc_name AS VARCHAR(257)) AS poc_name,
  pocs.poc_email,
  pocs.poc_phone,
  pocs.poc_role,
  pocs.poc_status,
  CAST(pocs.poc_sequence AS INTEGER) AS poc_sequence,
  pocs.poc_designation_id,
  CAST(EXTRACT(EPOCH FROM pocs.poc_created_at) AS BIGINT) AS poc_created_at,
  CAST(poc_categories.category_ids AS VARCHAR(65535)) AS poc_category_ids
FROM {{ ref('int_vendor_companies') }} AS vendors
INNER JOIN {{ ref('int_vendor_mappings') }} AS mappings
  ON vendors.vendor_id = mappings.vendor_id
LEFT JOIN {{ ref('int_vendor_scores') }} AS scores
  ON vendors.vendor_id = scores.company_id
LEFT JOIN {{ ref('int_invited_by_users') }} AS inviters
  ON mappings.invited_by = inviters.user_id
LEFT JOIN {{ ref('int_vendor_product_categories') }} AS categories
  ON vendors.vendor_id = categories.company_id
LEFT JOIN {{ ref('int_vendor_tags') }} AS tags
  ON vendors.vendor_id = tags.company_id
LEFT JOIN {{ ref('int_preferred_vendor_mappings') }} AS preferred_items
  ON vendors.vendor_id = preferred_items.company_id
LEFT JOIN {{ ref('int_vendor_all_pocs') }} AS pocs
  ON vendors.vendor_id = pocs.company_id
LEFT JOIN {{ ref('int_user_product_categories') }} AS poc_categories
  ON pocs.poc_id = poc_categories.user_id
