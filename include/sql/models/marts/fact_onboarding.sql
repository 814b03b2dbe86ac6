-- How far a vendor company has come on its way to a client, and whom to talk to there.
-- One row is a buyer-seller mapping.
{{ config(unique_key='mapping_id', dist='vendor_company_id', sort=['mapping_id', 'vendor_company_id']) }}
WITH first_pocs AS (
  SELECT
    pocs.company_id,
    COUNT(*) AS poc_count,
    MAX(CASE WHEN pocs.poc_sequence = 1 THEN pocs.poc_id END) AS first_poc_id,
    MAX(CASE WHEN pocs.poc_sequence = 1 THEN pocs.poc_name END) AS first_poc_name,
    MAX(CASE WHEN pocs.poc_sequence = 1 THEN pocs.poc_email END) AS first_poc_email,
    MAX(CASE WHEN pocs.poc_sequence = 1 THEN pocs.poc_phone END) AS first_poc_phone,
    MIN(pocs.poc_linked_at) AS first_poc_linked_at
  FROM {{ ref('int_vendor_all_pocs') }} AS pocs
  GROUP BY
    pocs.company_id
)
SELECT
  mappings.mapping_id,
  mappings.client_company_id,
  mappings.dealing_with_company_id AS vendor_company_id,
  companies.company_name AS vendor_company_name,
  mappings.vendor_code,
  mappings.status AS onboarding_stage_code,
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
  ) AS onboarding_stage,
  CAST(EXTRACT(EPOCH FROM mappings.created_at) AS BIGINT) AS onboarding_date,
  CAST(mappings.created_at AS DATE) AS onboarding_day,
  mappings.invited_by AS onboarding_user,
  CAST(inviters.full_name AS VARCHAR(257)) AS onboarding_user_name,
  inviters.email AS onboarding_user_email,
  CAST(EXTRACT(EPOCH FROM companies.created_at) AS BIGINT) AS vendor_registered_at,
  CAST(CAST(mappings.created_at AS DATE) - CAST(companies.created_at AS DATE) AS INTEGER) AS days_registered_before_onboarding,
  CAST(CASE WHEN mappings.invited_by IS NOT NULL THEN 1 ELSE 0 END AS SMALLINT) AS is_invited,
  CAST(CASE WHEN mappings.status IN (1, 2, 3) THEN 1 ELSE 0 END AS SMALLINT) AS is_in_progress,
  CAST(CASE WHEN mappings.status = 4 THEN 1 ELSE 0 END AS SMALLINT) AS is_rejected,
  CAST(CASE WHEN mappings.status = 5 THEN 1 ELSE 0 END AS SMALLINT) AS is_joined,
  CAST(CASE WHEN TRIM(mappings.vendor_code) <> '' THEN 1 ELSE 0 END AS SMALLINT) AS has_vendor_code,
  mappings.integration_status,
  mappings.dms_upload_status,
  CAST(COALESCE(first_pocs.poc_count, 0) AS BIGINT) AS poc_count,
  first_pocs.first_poc_id,
  CAST(first_pocs.first_poc_name AS VARCHAR(257)) AS first_poc_name,
  CAST(first_pocs.first_poc_email AS VARCHAR(256)) AS first_poc_email,
  CAST(first_pocs.first_poc_phone AS VARCHAR(32)) AS first_poc_phone,
  CAST(EXTRACT(EPOCH FROM first_pocs.first_poc_linked_at) AS BIGINT) AS first_poc_linked_at,
  CAST(CAST(first_pocs.first_poc_linked_at AS DATE) - CAST(mappings.created_at AS DATE) AS INTEGER) AS days_to_first_poc
FROM {{ ref('stg_buyer_seller_company_mappings') }} AS mappings
LEFT JOIN {{ ref('stg_companies') }} AS companies
  ON mappings.dealing_with_company_id = companies.company_id
LEFT JOIN {{ ref('int_invited_by_users') }} AS inviters
  ON mappings.invited_by = inviters.user_id
LEFT JOIN first_pocs
  ON mappings.dealing_with_company_id = first_pocs.company_id
