-- The SELECT of fact_company_profile on the sources, its models as CTEs. Made by compiling; edit the models instead.
WITH __dbt__cte__stg_companies AS (
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
), __dbt__cte__stg_taggings AS (
  /* Tags on records of any kind. */
  /* One row is a tag on a record. */
  SELECT
    id AS tagging_id,
    tag_id,
    taggable_type,
    taggable_id,
    status,
    tagged_by_id,
    created_at,
    updated_at,
    context,
    weight,
    confidence,
    is_automatic,
    rule_id,
    note,
    valid_from,
    valid_until,
    approved_by,
    approved_at,
    updated_by,
    import_batch,
    erp_id,
    lock_version
  FROM public.taggings AS taggings
), __dbt__cte__stg_tags AS (
  /* Tags. */
  /* One row is a tag. */
  SELECT
    id AS tag_id,
    name AS tag_name,
    creator_company_mapping_id,
    status,
    created_at,
    updated_at,
    visibility_level_type,
    visibility_level_id,
    user_company_mapping_id,
    description,
    tag_group,
    color,
    icon,
    is_system_tag,
    is_exclusive,
    taggings_count,
    display_position,
    valid_from,
    valid_until,
    translations,
    approved_by,
    approved_at,
    updated_by,
    erp_id,
    lock_version
  FROM public.tags AS tags
), __dbt__cte__int_vendor_tags AS (
  /* One row is a company. */
  SELECT
    numbered.company_id,
    LISTAGG(numbered.tag_name, ', ') WITHIN GROUP (ORDER BY
      numbered.tag_name) AS tag_names
  FROM (
    SELECT
      tag_names.company_id,
      tag_names.tag_name,
      ROW_NUMBER() OVER (PARTITION BY tag_names.company_id ORDER BY tag_names.tag_name) AS name_number
    FROM (
      SELECT
        taggings.taggable_id AS company_id,
        TRIM(tags.tag_name) AS tag_name
      FROM __dbt__cte__stg_taggings AS taggings
      INNER JOIN __dbt__cte__stg_tags AS tags
        ON taggings.tag_id = tags.tag_id
      WHERE
        taggings.taggable_type = 'Company'
        AND taggings.status = 1
        AND TRIM(tags.tag_name) <> ''
      GROUP BY
        taggings.taggable_id,
        TRIM(tags.tag_name)
    ) AS tag_names
  ) AS numbered
  WHERE
    numbered.name_number /* 250 names of 256 bytes and their commas fit into the 65,535 bytes that LISTAGG can give; more would be an error. */ <= 250
  GROUP BY
    numbered.company_id
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
), __dbt__cte__stg_teams AS (
  /* Teams of companies and the categories they trade in. */
  /* One row is a team. */
  SELECT
    id AS team_id,
    company_id,
    name AS team_name,
    status,
    created_at,
    updated_at,
    team_type,
    zone_id,
    other_details,
    product_category_ids,
    buyer_hub_ids,
    purchase_group_ids,
    description,
    team_code,
    parent_team_id,
    lead_user_id,
    created_by,
    updated_by,
    deactivated_at,
    deactivated_by,
    deactivation_reason,
    is_default,
    approval_required,
    approval_limit,
    currency,
    cost_center_code,
    erp_id,
    erp_synced_at,
    integration_status,
    email,
    notification_settings,
    locale,
    time_zone,
    valid_from,
    valid_until,
    lock_version
  FROM public.teams AS teams
), user_counts AS (
  SELECT
    pocs.company_id,
    COUNT(*) AS user_count
  FROM __dbt__cte__int_vendor_all_pocs AS pocs
  GROUP BY
    pocs.company_id
), team_counts AS (
  SELECT
    teams.company_id,
    COUNT(*) AS team_count
  FROM __dbt__cte__stg_teams AS teams
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
  CAST(CASE companies.category
    WHEN 1
    THEN 'Selling Firm'
    WHEN 2
    THEN 'Brokerage'
    WHEN 4
    THEN 'Subsidiary'
    ELSE 'Unknown'
  END AS VARCHAR(32)) AS business_category,
  companies.supplier_type AS business_type,
  CAST(CASE
    WHEN companies.is_verified
    THEN 'Verified'
    WHEN NOT companies.is_verified
    THEN 'Not Verified'
    ELSE 'Unknown'
  END AS VARCHAR(32)) AS verification_status,
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
FROM __dbt__cte__stg_companies AS companies
LEFT JOIN __dbt__cte__stg_cities AS cities
  ON companies.city_id = cities.city_id
LEFT JOIN __dbt__cte__stg_countries AS countries
  ON cities.country_id = countries.country_id
LEFT JOIN __dbt__cte__stg_companies AS brokers
  ON companies.created_by = brokers.company_id
LEFT JOIN __dbt__cte__int_invited_by_users AS inviters
  ON companies.invited_by = inviters.user_id
LEFT JOIN user_counts
  ON companies.company_id = user_counts.company_id
LEFT JOIN team_counts
  ON companies.company_id = team_counts.company_id
LEFT JOIN __dbt__cte__int_vendor_tags AS tags
  ON companies.company_id = tags.company_id
