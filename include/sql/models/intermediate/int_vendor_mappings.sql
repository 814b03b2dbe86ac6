-- The mapping by which a company is a vendor of the client: of several that qualify the newest counts.
-- One row is a company with a qualifying mapping. Variable: client_company_id.
SELECT
  numbered.mapping_id,
  numbered.client_company_id,
  numbered.vendor_id,
  numbered.vendor_code,
  numbered.vrp_code,
  numbered.joining_status,
  CASE numbered.joining_status
    WHEN 0 THEN 'Not Initiated'
    WHEN 1 THEN 'In Progress'
    WHEN 2 THEN 'Review Pending'
    WHEN 3 THEN 'Approval Pending'
    WHEN 4 THEN 'Rejected'
    WHEN 5 THEN 'Joined'
    ELSE 'Unknown'
  END AS joining_status_label,
  numbered.source,
  numbered.invited_by,
  numbered.auto_discount,
  numbered.integration_status,
  numbered.dms_upload_status,
  -- Anything but digits is no time; the guard keeps the cast from failing.
  CASE
    WHEN numbered.archived_at_text ~ '^[0-9]{1,18}$'
    THEN CAST(numbered.archived_at_text AS BIGINT)
  END AS archived_at,
  numbered.created_at
FROM (
  SELECT
    mappings.mapping_id,
    mappings.client_company_id,
    mappings.dealing_with_company_id AS vendor_id,
    mappings.vendor_code,
    mappings.vrp_code,
    mappings.status AS joining_status,
    mappings.source,
    mappings.invited_by,
    mappings.auto_discount,
    mappings.integration_status,
    mappings.dms_upload_status,
    JSON_EXTRACT_PATH_TEXT(mappings.meta_data, 'archived_at', TRUE) AS archived_at_text,
    mappings.created_at,
    ROW_NUMBER() OVER (
      PARTITION BY mappings.dealing_with_company_id
      ORDER BY mappings.created_at DESC NULLS LAST, mappings.mapping_id DESC
    ) AS mapping_number
  FROM {{ ref('stg_buyer_seller_company_mappings') }} AS mappings
  WHERE
    mappings.client_company_id = {{ var('client_company_id') }}
    AND mappings.status IN (1, 2, 7)
    AND mappings.source IN (0, 1)
    AND mappings.invited_by IS NOT NULL
) AS numbered
WHERE
  numbered.mapping_number = 1
