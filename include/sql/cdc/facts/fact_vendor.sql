-- The SELECT of fact_vendor on the sources, its models as CTEs. Made by compiling; edit the models instead.
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
), __dbt__cte__int_vendor_scores AS (
  /* One row is a company; a score that is missing or no plain number is NULL. */
  SELECT
    scores.company_id,
    CASE
      WHEN scores.score_text ~ '^-?[0-9]{1,9}([.][0-9]{1,9})?$'
      THEN CAST(ROUND(CAST(scores.score_text AS DECIMAL(18, 9)), 4) AS DECIMAL(14, 4))
    END AS score_value /* The guard keeps the cast from failing, and from a number that is too large for it. */
  FROM (
    SELECT
      companies.company_id,
      JSON_EXTRACT_PATH_TEXT(companies.misc, 'score', 'value', TRUE) AS score_text
    FROM __dbt__cte__stg_companies AS companies
  ) AS scores
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
), __dbt__cte__stg_product_categories AS (
  /* Product categories. */
  /* One row is a product category. */
  SELECT
    id AS category_id,
    name AS category_name,
    ancestry,
    status,
    created_at,
    updated_at,
    hierarchy_type,
    alias,
    origins,
    gst,
    image_url,
    category_type,
    quality_params,
    company_id,
    is_default_category,
    category_code,
    description,
    parent_id,
    display_position,
    depth,
    hsn_code,
    unit_of_measure,
    base_price,
    price_tolerance_percent,
    is_perishable,
    shelf_life_days,
    is_tradable,
    storage_conditions,
    packaging_types,
    translations,
    search_keywords,
    seasonality,
    created_by,
    updated_by,
    approved_by,
    approved_at,
    erp_id,
    lock_version
  FROM public.product_categories AS product_categories
), __dbt__cte__int_vendor_product_categories AS (
  /* One row is a company. An id must match as a whole, so both sides are wrapped in commas. */
  SELECT
    numbered.company_id,
    LISTAGG(numbered.category_name, ', ') WITHIN GROUP (ORDER BY
      numbered.category_name) AS category_names
  FROM (
    SELECT
      category_names.company_id,
      category_names.category_name,
      ROW_NUMBER() OVER (PARTITION BY category_names.company_id ORDER BY category_names.category_name) AS name_number
    FROM (
      SELECT
        teams.company_id,
        TRIM(categories.category_name) AS category_name
      FROM __dbt__cte__stg_teams AS teams
      INNER JOIN __dbt__cte__stg_product_categories AS categories
        ON (
          ',' || TRANSLATE(teams.product_category_ids, '{}[]" ', '') || ','
        ) LIKE (
          '%,' || CAST(categories.category_id AS VARCHAR(20)) || ',%'
        )
      WHERE
        teams.status = 1 AND TRIM(categories.category_name) <> ''
      GROUP BY
        teams.company_id,
        TRIM(categories.category_name)
    ) AS category_names
  ) AS numbered
  WHERE
    numbered.name_number /* 250 names of 256 bytes and their commas fit into the 65,535 bytes that LISTAGG can give; more would be an error. */ <= 250
  GROUP BY
    numbered.company_id
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
), __dbt__cte__stg_team_members AS (
  /* Members of teams. */
  /* One row is a membership of a user in a team. */
  SELECT
    id AS team_member_id,
    team_id,
    user_id,
    role,
    status,
    created_at,
    updated_at,
    designation_id,
    created_by,
    updated_by,
    is_lead,
    approval_level,
    approval_limit,
    joined_on,
    left_on,
    deactivated_at,
    deactivation_reason,
    receives_notifications,
    delegate_user_id,
    delegated_until,
    erp_id,
    invited_by,
    other_details,
    lock_version
  FROM public.team_members AS team_members
), __dbt__cte__int_user_product_categories AS (
  /* One row is a user. An id must match as a whole, so both sides are wrapped in commas. */
  SELECT
    numbered.user_id,
    LISTAGG(CAST(numbered.category_id AS VARCHAR(20)), ',') WITHIN GROUP (ORDER BY
      numbered.category_id) AS category_ids
  FROM (
    SELECT
      user_categories.user_id,
      user_categories.category_id,
      ROW_NUMBER() OVER (PARTITION BY user_categories.user_id ORDER BY user_categories.category_id) AS category_number
    FROM (
      SELECT
        team_members.user_id,
        categories.category_id
      FROM __dbt__cte__stg_team_members AS team_members
      INNER JOIN __dbt__cte__stg_teams AS teams
        ON team_members.team_id = teams.team_id
      INNER JOIN __dbt__cte__stg_product_categories AS categories
        ON (
          ',' || TRANSLATE(teams.product_category_ids, '{}[]" ', '') || ','
        ) LIKE (
          '%,' || CAST(categories.category_id AS VARCHAR(20)) || ',%'
        )
      WHERE
        team_members.status = 1 AND teams.status = 1
      GROUP BY
        team_members.user_id,
        categories.category_id
    ) AS user_categories
  ) AS numbered
  WHERE
    numbered.category_number /* 3,000 ids of 20 digits and their commas fit into the 65,535 bytes that LISTAGG can give; more would be an error. */ <= 3000
  GROUP BY
    numbered.user_id
)
/* One row is a vendor and a point of contact; a vendor without any has one row, whose key ends in no_poc. */
SELECT
  CAST(CAST(vendors.vendor_id AS VARCHAR(20)) || '_' || COALESCE(CAST(pocs.poc_id AS VARCHAR(20)), 'no_poc') AS VARCHAR(41)) AS vendor_id_poc_id,
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
FROM __dbt__cte__int_vendor_companies AS vendors
INNER JOIN __dbt__cte__int_vendor_mappings AS mappings
  ON vendors.vendor_id = mappings.vendor_id
LEFT JOIN __dbt__cte__int_vendor_scores AS scores
  ON vendors.vendor_id = scores.company_id
LEFT JOIN __dbt__cte__int_invited_by_users AS inviters
  ON mappings.invited_by = inviters.user_id
LEFT JOIN __dbt__cte__int_vendor_product_categories AS categories
  ON vendors.vendor_id = categories.company_id
LEFT JOIN __dbt__cte__int_vendor_tags AS tags
  ON vendors.vendor_id = tags.company_id
LEFT JOIN __dbt__cte__int_preferred_vendor_mappings AS preferred_items
  ON vendors.vendor_id = preferred_items.company_id
LEFT JOIN __dbt__cte__int_vendor_all_pocs AS pocs
  ON vendors.vendor_id = pocs.company_id
LEFT JOIN __dbt__cte__int_user_product_categories AS poc_categories
  ON pocs.poc_id = poc_categories.user_id
