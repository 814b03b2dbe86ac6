-- Buyers first, then vendors and would-be vendors; `profile` in seed/companies.sql says which.
{% set row = 'seed_companies.number' %}
{% from 'macros.sql' import between, chance, day_later, decimal, digits, draw, later, letters, mobile, one_of, staff, text, updated, word with context %}
SELECT
  seed_companies.id,
  CASE
    WHEN {{ chance('firm', 35) }} THEN firms.word || ' ' || seed_companies.trade
    ELSE seed_companies.last_name || ' ' || seed_companies.trade || ' ' || suffixes.word
  END || CASE WHEN {{ draw('blank', 200) }} = 0 THEN ' ' ELSE '' END AS name,
  CASE WHEN {{ chance('image_url', 45) }} THEN 'https://assets.example/companies/' || {{ text('seed_companies.id') }} || '.png' END AS image_url,
  CASE
    WHEN seed_companies.number <= {{ clients }} THEN 3
    WHEN seed_companies.profile BETWEEN 67 AND 71 THEN CASE WHEN {{ chance('category', 70) }} THEN 3 ELSE 5 END
    WHEN {{ draw('category', 100) }} < 80 THEN 1
    WHEN {{ draw('category', 100) }} < 92 THEN 2
    ELSE 4
  END AS category,
  {{ text(between('building', 1, 240)) }} || ', ' || streets.word || ', ' || seed_companies.city_name AS address,
  CASE WHEN {{ chance('city_id', 98) }} THEN seed_companies.city_id END AS city_id,
  CASE
    WHEN {{ chance('coordinates', 70) }}
    THEN CAST(CAST(seed_companies.latitude AS NUMERIC(9, 4)) + {{ decimal('latitude', 0, 900, 4) }} AS VARCHAR(20))
      || ',' || CAST(CAST(seed_companies.longitude AS NUMERIC(9, 4)) + {{ decimal('longitude', 0, 900, 4) }} AS VARCHAR(20))
  END AS coordinates,
  CASE WHEN {{ chance('phone', 88) }} THEN {{ mobile('phone') }} WHEN {{ chance('blank phone', 20) }} THEN ' ' END AS phone,
  CASE WHEN {{ chance('email', 92) }} THEN {{ one_of('mailbox', ['info', 'sales', 'contact', 'office']) }} || '@' || seed_companies.domain END AS email,
  CASE
    WHEN seed_companies.number > {{ clients }} AND (seed_companies.profile BETWEEN 60 AND 66 OR seed_companies.profile >= 97) THEN 0
    ELSE 1
  END AS status,
  CASE WHEN {{ chance('rating', 65) }} THEN {{ decimal('rating', 100, 500, 2) }} END AS rating,
  CASE WHEN {{ chance('email_extension', 30) }} THEN '@' || seed_companies.domain END AS email_extension,
  seed_companies.created_at,
  {{ updated('seed_companies.created_at') }} AS updated_at,
  CASE WHEN {{ chance('pan_no', 85) }} THEN seed_companies.pan_no END AS pan_no,
  CASE WHEN {{ chance('fssai_code', 35) }} THEN '1' || {{ digits('fssai head', 6) }} || {{ digits('fssai tail', 7) }} END AS fssai_code,
  CASE
    WHEN seed_companies.state_id IS NOT NULL AND {{ chance('gst_no', 90) }}
    THEN LPAD({{ text('seed_companies.state_id') }}, 2, '0') || seed_companies.pan_no || '1Z' || {{ letters('gst check', 1) }}
  END AS gst_no,
  -- A broker is another company of the warehouse.
  CASE
    WHEN seed_companies.number > {{ clients }} AND {{ chance('created_by', 8) }}
    THEN {{ first_company }} + {{ draw('created_by', companies) }}
  END AS created_by,
  CASE WHEN {{ chance('is_verified is known', 95) }} THEN {{ chance('is_verified', 62) }} END AS is_verified,
  CASE WHEN {{ chance('broker_for', 5) }} THEN {{ first_company }} + {{ draw('broker_for', companies) }} END AS broker_for,
  first_names.word || ' ' || seed_companies.last_name AS owner_name,
  CASE WHEN {{ chance('year_of_establishment', 75) }} THEN {{ between('year_of_establishment', 1962, 2019) }} END AS year_of_establishment,
  CASE WHEN {{ chance('tan_number', 55) }} THEN {{ letters('tan head', 4) }} || {{ digits('tan', 5) }} || {{ letters('tan tail', 1) }} END AS tan_number,
  CASE WHEN {{ chance('number_of_employees', 60) }} THEN {{ between('number_of_employees', 2, 480) }} END AS number_of_employees,
  CASE
    WHEN {{ chance('document_images', 40) }}
    THEN '["https://assets.example/documents/' || {{ text('seed_companies.id') }} || '/gst.pdf"]'
  END AS document_images,
  CASE WHEN {{ chance('update_remarks', 20) }} THEN remarks.word END AS update_remarks,
  CASE
    WHEN seed_companies.number > {{ clients }} AND {{ chance('invited_by', 70) }}
    THEN {{ staff(client_number, 'invited_by') }}
  END AS invited_by,
  CASE WHEN {{ chance('domain', 60) }} THEN seed_companies.domain END AS domain,
  {{ between('trade_mode', 0, 2) }} AS trade_mode,
  CASE WHEN {{ chance('app_configuration_id', 50) }} THEN {{ between('app_configuration_id', 1, 12) }} END AS app_configuration_id,
  {{ between('category_type', 1, 4) }} AS category_type,
  CASE WHEN {{ chance('allowed_modules', 80) }} THEN {{ one_of('allowed_modules', ['["trade"]', '["trade", "dispatch"]', '["trade", "quality", "payments"]', '[]']) }} END AS allowed_modules,
  {{ one_of('supplier_type', ['Manufacturer', 'Trader', 'Importer', 'Service Provider', 'Farmer Group']) }} AS supplier_type,
  CASE WHEN {{ chance('website', 40) }} THEN 'https://www.' || seed_companies.domain END AS website,
  UPPER(SUBSTRING(seed_companies.last_name, 1, 1) || SUBSTRING(seed_companies.trade, 1, 1)) AS company_initials,
  CASE WHEN {{ chance('company_status', 70) }} THEN {{ one_of('company_status', ['Active', 'Active', 'Active', 'Under Watch', 'Dormant']) }} END AS company_status,
  CASE
    WHEN seed_companies.contacts > 0 AND seed_companies.number > {{ clients }} AND {{ chance('created_by_user', 40) }}
    THEN seed_companies.users_before + 1
    ELSE {{ staff(client_number, 'created_by_user') }}
  END AS created_by_user,
  CASE WHEN {{ chance('created_for_workspace', 30) }} THEN {{ first_company }} + {{ draw('created_for_workspace', clients) }} END AS created_for_workspace,
  CASE
    WHEN {{ draw('gst_verification', 100) }} < 55 THEN '{"status": "Verified", "checked_on": "' || CAST({{ day_later('seed_companies.created_at', 'gst checked', 90) }} AS VARCHAR(10)) || '"}'
    WHEN {{ draw('gst_verification', 100) }} < 70 THEN '{"status": "Pending"}'
    WHEN {{ draw('gst_verification', 100) }} < 75 THEN '{"status": "Failed", "reason": "number not found"}'
  END AS gst_verification,
  CASE
    WHEN {{ draw('misc', 100) }} < 62
    THEN '{"score": {"value": ' || CAST({{ decimal('score', 0, 1000, 1) }} AS VARCHAR(20)) || '}, "credit": {"limit": ' || {{ text(between('credit limit', 1, 400)) }} || '0000}}'
    WHEN {{ draw('misc', 100) }} < 70 THEN '{"credit": {"limit": ' || {{ text(between('credit limit', 1, 400)) }} || '0000}, "source": "field visit"}'
    WHEN {{ draw('misc', 100) }} < 74 THEN '{"score": {"value": "not rated"}}'
    WHEN {{ draw('misc', 100) }} < 77 THEN '{"score": {}}'
    WHEN {{ draw('misc', 100) }} < 79 THEN '{"score": {"value": 7.'
    WHEN {{ draw('misc', 100) }} < 80 THEN ''
    WHEN {{ draw('misc', 100) }} < 88 THEN '{}'
  END AS misc,
  {{ chance('sso_enabled', 6) }} AS sso_enabled,
  {{ draw('trade_requests_count', 300) }} AS trade_requests_count,
  {{ draw('intake_requests_count', 120) }} AS intake_requests_count,
  CASE WHEN {{ chance('tax_type_country_mapping_id', 80) }} THEN {{ between('tax_type_country_mapping_id', 1, 40) }} END AS tax_type_country_mapping_id,
  CASE WHEN {{ chance('recommendation_identifier', 25) }} THEN 'rec-' || {{ digits('recommendation_identifier', 8) }} END AS recommendation_identifier
FROM seed_companies
{{ word('firms', 'firm', 'firm name') }}
{{ word('suffixes', 'suffix', 'suffix') }}
{{ word('streets', 'street', 'street') }}
{{ word('first_names', 'male_first_name', 'owner first name') }}
{{ word('remarks', 'remark', 'remark') }}
