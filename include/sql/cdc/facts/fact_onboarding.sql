-- The SELECT of fact_onboarding on the sources, its models as CTEs. Made by compiling; edit the models instead.
WITH __dbt__cte__stg_buyer_seller_company_mappings AS (
  /* Dealings between a client company and another company. */
  /* One row is a buyer-seller mapping. */
  SELECT
    id AS mapping_id,
    client_company_id,
    dealing_with_company_id,
    vendor_code,
    status,
    created_at,
    updated_at,
    invited_by,
    source,
    auto_discount,
    vrp_code,
    integration_status,
    meta_data,
    dms_upload_status
  FROM public.buyer_seller_company_mappings AS buyer_seller_company_mappings
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
), __dbt__cte__stg_users AS (
  /* People with an account; the misspelt columns of the upstream get readable names. */
  /* One row is a user. */
  SELECT
    id AS user_id,
    first_name,
    last_name,
    gender,
    address,
    category,
    email,
    phone,
    is_phone_verified,
    city_id,
    company_id,
    profile_pic_url,
    status,
    created_at,
    updated_at,
    role,
    firm_name,
    is_email_verified,
    should_receive_sms,
    email_verified,
    update_remarks,
    user_access_right_ids,
    should_receive_email,
    referral_code,
    deleted_at,
    adderss AS legacy_address,
    should_receive_sims AS legacy_should_receive_sms,
    user_access_right_id,
    should_recieve_email AS legacy_should_receive_email,
    referal_code AS legacy_referral_code,
    other_details,
    send_whatsapp_msg,
    team_identifiers,
    mfa_secret,
    is_mfa_enabled,
    is_subscribed_to_zones,
    created_by_user,
    ip_info,
    session_id,
    access_mode,
    terms_and_policy_accepted,
    tnc_and_policy_log
  FROM public.users AS users
), __dbt__cte__int_invited_by_users AS (
  /* One row is a user. */
  SELECT
    users.user_id,
    NULLIF(TRIM(COALESCE(users.first_name, '') || ' ' || COALESCE(users.last_name, '')), '') AS full_name,
    users.email
  FROM __dbt__cte__stg_users AS users
), __dbt__cte__stg_user_company_mappings AS (
  /* Companies for which users act. */
  /* One row is a user acting for a company. */
  SELECT
    id AS user_company_mapping_id,
    user_id,
    company_id,
    status,
    created_at,
    trade_identifier,
    designation_id,
    erp_id,
    updated_at,
    role,
    department,
    reporting_user_id,
    is_primary,
    is_default_company,
    access_right_ids,
    joined_on,
    left_on,
    invited_by,
    invited_at,
    accepted_at,
    last_accessed_at,
    notification_settings,
    locale,
    created_by,
    updated_by,
    deactivation_reason,
    lock_version
  FROM public.user_company_mappings AS user_company_mappings
), __dbt__cte__int_vendor_all_pocs AS (
  /* One row is a company and a user; of several active mappings between the two the newest counts. */
  SELECT
    links.company_id,
    users.user_id AS poc_id,
    NULLIF(TRIM(COALESCE(users.first_name, '') || ' ' || COALESCE(users.last_name, '')), '') AS poc_name,
    users.email AS poc_email,
    users.phone AS poc_phone,
    users.role AS poc_role,
    users.status AS poc_status,
    links.designation_id AS poc_designation_id,
    links.created_at AS poc_linked_at,
    users.created_at AS poc_created_at,
    ROW_NUMBER() OVER (PARTITION BY links.company_id ORDER BY users.created_at, users.user_id) AS poc_sequence
  FROM (
    SELECT
      user_companies.company_id,
      user_companies.user_id,
      user_companies.designation_id,
      user_companies.created_at,
      ROW_NUMBER() OVER (
        PARTITION BY user_companies.company_id, user_companies.user_id
        ORDER BY user_companies.created_at DESC NULLS LAST, user_companies.user_company_mapping_id DESC
      ) AS link_number
    FROM __dbt__cte__stg_user_company_mappings AS user_companies
    WHERE
      user_companies.status = 1
  ) AS links
  INNER JOIN __dbt__cte__stg_users AS users
    ON links.user_id = users.user_id
  WHERE
    links.link_number = 1
), first_pocs AS (
  SELECT
    pocs.company_id,
    COUNT(*) AS poc_count,
    MAX(CASE WHEN pocs.poc_sequence = 1 THEN pocs.poc_id END) AS first_poc_id,
    MAX(CASE WHEN pocs.poc_sequence = 1 THEN pocs.poc_name END) AS first_poc_name,
    MAX(CASE WHEN pocs.poc_sequence = 1 THEN pocs.poc_email END) AS first_poc_email,
    MAX(CASE WHEN pocs.poc_sequence = 1 THEN pocs.poc_phone END) AS first_poc_phone,
    MIN(pocs.poc_linked_at) AS first_poc_linked_at
  FROM __dbt__cte__int_vendor_all_pocs AS pocs
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
  CAST(CASE mappings.status
    WHEN 0
    THEN 'Not Initiated'
    WHEN 1
    THEN 'In Progress'
    WHEN 2
    THEN 'Review Pending'
    WHEN 3
    THEN 'Approval Pending'
    WHEN 4
    THEN 'Rejected'
    WHEN 5
    THEN 'Joined'
    ELSE 'Unknown'
  END AS VARCHAR(32)) AS onboarding_stage,
  CAST(EXTRACT(EPOCH FROM mappings.created_at) AS BIGINT) AS onboarding_date,
  CAST(mappings.created_at AS DATE) AS onboarding_day,
  mappings.invited_by AS onboarding_user,
  CAST(inviters.full_name AS VARCHAR(257)) AS onboarding_user_name,
  inviters.email AS onboarding_user_email,
  CAST(EXTRACT(EPOCH FROM companies.created_at) AS BIGINT) AS vendor_registered_at,
  CAST(CAST(mappings.created_at AS DATE) - CAST(companies.created_at AS DATE) AS INTEGER) AS days_registered_before_onboarding,
  CAST(CASE WHEN NOT mappings.invited_by IS NULL THEN 1 ELSE 0 END AS SMALLINT) AS is_invited,
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
FROM __dbt__cte__stg_buyer_seller_company_mappings AS mappings
LEFT JOIN __dbt__cte__stg_companies AS companies
  ON mappings.dealing_with_company_id = companies.company_id
LEFT JOIN __dbt__cte__int_invited_by_users AS inviters
  ON mappings.invited_by = inviters.user_id
LEFT JOIN first_pocs
  ON mappings.dealing_with_company_id = first_pocs.company_id
