-- The SELECT of fact_geography on the sources, its models as CTEs. Made by compiling; edit the models instead.
WITH __dbt__cte__stg_cities AS (
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
), __dbt__cte__stg_buyer_seller_company_mappings AS (
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
), company_counts AS (
  SELECT
    companies.city_id,
    COUNT(*) AS company_count,
    COUNT(CASE WHEN companies.status = 1 THEN 1 END) AS active_company_count,
    COUNT(CASE WHEN companies.is_verified THEN 1 END) AS verified_company_count,
    AVG(CAST(companies.rating AS DECIMAL(18, 4))) AS average_company_rating,
    MIN(companies.created_at) AS first_company_created_at
  FROM __dbt__cte__stg_companies AS companies
  GROUP BY
    companies.city_id
), vendor_counts AS (
  SELECT
    vendors.city_id,
    COUNT(*) AS qualified_vendor_count,
    COUNT(CASE WHEN vendors.is_verified THEN 1 END) AS verified_vendor_count
  FROM __dbt__cte__int_vendor_companies AS vendors
  INNER JOIN __dbt__cte__int_vendor_mappings AS mappings
    ON vendors.vendor_id = mappings.vendor_id
  GROUP BY
    vendors.city_id
), user_counts AS (
  SELECT
    users.city_id,
    COUNT(*) AS user_count,
    COUNT(CASE WHEN users.status = 1 THEN 1 END) AS active_user_count,
    COUNT(CASE WHEN users.is_phone_verified THEN 1 END) AS phone_verified_user_count
  FROM __dbt__cte__stg_users AS users
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
  CAST(ROUND(company_counts.average_company_rating, 2) AS DECIMAL(4, 2)) AS average_company_rating,
  CAST(EXTRACT(EPOCH FROM company_counts.first_company_created_at) AS BIGINT) AS first_company_created_at,
  CAST(COALESCE(user_counts.user_count, 0) AS BIGINT) AS user_count,
  CAST(COALESCE(user_counts.active_user_count, 0) AS BIGINT) AS active_user_count,
  CAST(COALESCE(user_counts.phone_verified_user_count, 0) AS BIGINT) AS phone_verified_user_count
FROM __dbt__cte__stg_cities AS cities
LEFT JOIN __dbt__cte__stg_countries AS countries
  ON cities.country_id = countries.country_id
LEFT JOIN company_counts
  ON cities.city_id = company_counts.city_id
LEFT JOIN vendor_counts
  ON cities.city_id = vendor_counts.city_id
LEFT JOIN user_counts
  ON cities.city_id = user_counts.city_id
