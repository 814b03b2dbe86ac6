-- The SELECT of fact_relationship on the sources, its models as CTEs. Made by compiling; edit the models instead.
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
), __dbt__cte__stg_cities AS (
  /* Cities. */
  /* One row is a city. */
  SELECT
    id AS city_id,
    name AS city_name,
    coordinates,
    status,
    created_at,
    updated_at,
    apmc_configuration_id,
    state_id,
    country_id,
    city_code,
    alias,
    district,
    state_name,
    postal_code_prefix,
    latitude,
    longitude,
    time_zone,
    population,
    tier,
    is_metro,
    is_serviceable,
    serviceable_from,
    geoname_id,
    locale_names,
    logistics_zone_id,
    erp_id,
    created_by,
    updated_by,
    lock_version
  FROM public.cities AS cities
), __dbt__cte__stg_countries AS (
  /* Countries. */
  /* One row is a country. */
  SELECT
    id AS country_id,
    name AS country_name,
    country_code,
    phone_prefix,
    phone_number_length,
    created_at,
    flag_url,
    config,
    send_otp_allowed,
    updated_at,
    iso3_code,
    numeric_code,
    official_name,
    native_name,
    capital,
    region,
    subregion,
    currency_code,
    currency_symbol,
    currency_decimals,
    time_zone,
    locale,
    date_format,
    tax_type,
    tax_id_label,
    tax_id_pattern,
    postal_code_pattern,
    is_active,
    is_signup_allowed,
    display_position,
    created_by,
    updated_by
  FROM public.countries AS countries
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
), __dbt__cte__int_vendor_companies AS (
  /* One row is a company. */
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
      WHEN NOT companies.created_by IS NULL
      THEN 'Broker Created Firm'
      WHEN companies.category = 1
      THEN 'Selling Firm'
      WHEN companies.category = 2
      THEN 'Brokerage'
      WHEN companies.category = 4
      THEN 'Subsidiary'
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
  FROM __dbt__cte__stg_companies AS companies
  LEFT JOIN __dbt__cte__stg_cities AS cities
    ON companies.city_id = cities.city_id
  LEFT JOIN __dbt__cte__stg_countries AS countries
    ON cities.country_id = countries.country_id
  WHERE
    companies.status = 1 AND companies.category IN (1, 2, 4)
), __dbt__cte__int_vendor_mappings AS (
  /* One row is a company with a qualifying mapping. Variable: client_company_id. */
  SELECT
    numbered.mapping_id,
    numbered.client_company_id,
    numbered.vendor_id,
    numbered.vendor_code,
    numbered.vrp_code,
    numbered.joining_status,
    CASE numbered.joining_status
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
    END AS joining_status_label,
    numbered.source,
    numbered.invited_by,
    numbered.auto_discount,
    numbered.integration_status,
    numbered.dms_upload_status,
    CASE
      WHEN numbered.archived_at_text ~ '^[0-9]{1,18}$'
      THEN CAST(numbered.archived_at_text AS BIGINT)
    END AS archived_at, /* Anything but digits is no time; the guard keeps the cast from failing. */
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
    FROM __dbt__cte__stg_buyer_seller_company_mappings AS mappings
    WHERE
      mappings.client_company_id = 12855
      AND mappings.status IN (1, 2, 7)
      AND mappings.source IN (0, 1)
      AND NOT mappings.invited_by IS NULL
  ) AS numbered
  WHERE
    numbered.mapping_number = 1
), __dbt__cte__stg_preferred_vendor_item_mappings AS (
  /* Preferred vendors of items. */
  /* One row is an item for which a company is a preferred vendor. */
  SELECT
    id AS preferred_item_mapping_id,
    item_type,
    item_id,
    company_id,
    status,
    created_at,
    updated_at,
    preference_rank,
    allocation_percent,
    min_order_quantity,
    max_order_quantity,
    unit_of_measure,
    agreed_price,
    currency,
    lead_time_days,
    valid_from,
    valid_until,
    contract_number,
    is_exclusive,
    approved_by,
    approved_at,
    remarks,
    created_by,
    updated_by,
    lock_version
  FROM public.preferred_vendor_item_mappings AS preferred_vendor_item_mappings
), __dbt__cte__int_preferred_vendor_mappings AS (
  /* One row is a company. */
  SELECT
    numbered.company_id,
    COUNT(*) AS preferred_item_count,
    LISTAGG(
      CASE
        WHEN numbered.item_number <= 3000
        THEN CAST(numbered.item_id AS VARCHAR(20))
      END,
      ','
    ) WITHIN GROUP (ORDER BY
      numbered.item_id) AS preferred_item_ids
  FROM (
    SELECT
      items.company_id,
      items.item_id,
      ROW_NUMBER() OVER (PARTITION BY items.company_id ORDER BY items.item_id) AS item_number /* 3,000 ids of 20 digits and their commas fit into the 65,535 bytes that LISTAGG can give; more would be an error. */
    FROM (
      SELECT
        preferred_items.company_id,
        preferred_items.item_id
      FROM __dbt__cte__stg_preferred_vendor_item_mappings AS preferred_items
      WHERE
        preferred_items.status = 1 AND NOT preferred_items.item_id IS NULL
      GROUP BY
        preferred_items.company_id,
        preferred_items.item_id
    ) AS items
  ) AS numbered
  GROUP BY
    numbered.company_id
)
/* One row is a buyer-seller mapping. */
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
  END AS VARCHAR(32)) AS relationship_status,
  mappings.source AS relationship_source,
  CAST(EXTRACT(EPOCH FROM mappings.created_at) AS BIGINT) AS relationship_start_date,
  mappings.integration_status,
  mappings.dms_upload_status,
  mappings.auto_discount,
  mappings.meta_data,
  mappings.invited_by,
  CAST(inviters.full_name AS VARCHAR(257)) AS invited_by_name,
  inviters.email AS invited_by_email,
  CAST(CASE
    WHEN NOT vendors.vendor_id IS NULL AND NOT vendor_mappings.mapping_id IS NULL
    THEN 1
    ELSE 0
  END AS SMALLINT) AS is_vendor_mapping,
  CAST(COALESCE(preferred_items.preferred_item_count, 0) AS BIGINT) AS preferred_item_count,
  CAST(preferred_items.preferred_item_ids AS VARCHAR(65535)) AS preferred_item_ids
FROM __dbt__cte__stg_buyer_seller_company_mappings AS mappings
LEFT JOIN __dbt__cte__stg_companies AS clients
  ON mappings.client_company_id = clients.company_id
LEFT JOIN __dbt__cte__stg_companies AS companies
  ON mappings.dealing_with_company_id = companies.company_id
LEFT JOIN __dbt__cte__stg_cities AS cities
  ON companies.city_id = cities.city_id
LEFT JOIN __dbt__cte__stg_countries AS countries
  ON cities.country_id = countries.country_id
LEFT JOIN __dbt__cte__int_invited_by_users AS inviters
  ON mappings.invited_by = inviters.user_id
LEFT JOIN __dbt__cte__int_vendor_companies AS vendors
  ON mappings.dealing_with_company_id = vendors.vendor_id
LEFT JOIN __dbt__cte__int_vendor_mappings AS vendor_mappings
  ON mappings.dealing_with_company_id = vendor_mappings.vendor_id
  AND mappings.mapping_id = vendor_mappings.mapping_id
LEFT JOIN __dbt__cte__int_preferred_vendor_mappings AS preferred_items
  ON mappings.dealing_with_company_id = preferred_items.company_id
