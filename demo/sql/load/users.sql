-- People with an account: the clients' staff and the vendors' contacts.
{% set row = 'seed_users.id' %}
{% from 'macros.sql' import between, chance, digits, draw, later, letters, mobile, one_of, staff, text, updated, word with context %}
{% set created_at = later('seed_companies.created_at', 'created_at', 'minute', 60000) %}
{% set is_female = chance('female', 28) %}
{% set first_name = 'CASE WHEN ' ~ is_female ~ ' THEN women.word ELSE men.word END' %}
{% set email = "LOWER(" ~ first_name ~ ") || '.' || LOWER(REPLACE(last_names.word, '’', '')) || " ~ text('seed_users.user_number') ~ " || '@' || seed_companies.domain" %}
SELECT
  seed_users.id,
  {{ first_name }} AS first_name,
  CASE WHEN {{ chance('last_name', 94) }} THEN last_names.word || CASE WHEN {{ draw('blank', 200) }} = 0 THEN ' ' ELSE '' END END AS last_name,
  CASE WHEN {{ chance('gender', 60) }} THEN CASE WHEN {{ is_female }} THEN 'female' ELSE 'male' END END AS gender,
  CASE WHEN {{ chance('address', 40) }} THEN {{ text(between('building', 1, 240)) }} || ', ' || streets.word || ', ' || seed_companies.city_name END AS address,
  CASE WHEN seed_users.is_staff THEN 3 ELSE 1 END AS category,
  CASE WHEN {{ chance('email', 93) }} THEN {{ email }} END AS email,
  CASE WHEN {{ chance('phone', 96) }} THEN {{ mobile('phone') }} END AS phone,
  {{ chance('is_phone_verified', 75) }} AS is_phone_verified,
  CASE WHEN {{ chance('city_id', 90) }} THEN seed_companies.city_id END AS city_id,
  seed_companies.id AS company_id,
  CASE WHEN {{ chance('profile_pic_url', 30) }} THEN 'https://assets.example/people/' || {{ text('seed_users.id') }} || '.jpg' END AS profile_pic_url,
  CASE WHEN {{ chance('status', 94) }} THEN 1 ELSE 0 END AS status,
  {{ created_at }} AS created_at,
  {{ updated(created_at) }} AS updated_at,
  CASE WHEN seed_users.is_staff THEN 'buyer' WHEN seed_users.user_number = 1 THEN 'owner' ELSE 'member' END AS role,
  CASE WHEN {{ chance('firm_name', 50) }} THEN seed_companies.last_name || ' ' || seed_companies.trade END AS firm_name,
  {{ chance('is_email_verified', 60) }} AS is_email_verified,
  {{ chance('should_receive_sms', 80) }} AS should_receive_sms,
  {{ chance('is_email_verified', 60) }} AS email_verified,
  CASE WHEN {{ chance('update_remarks', 10) }} THEN remarks.word END AS update_remarks,
  '{' || {{ text(between('access right', 1, 9)) }} || ',' || {{ text(between('second access right', 10, 19)) }} || '}' AS user_access_right_ids,
  {{ chance('should_receive_email', 85) }} AS should_receive_email,
  CASE WHEN {{ chance('referral_code', 30) }} THEN {{ letters('referral head', 4) }} || {{ digits('referral', 4) }} END AS referral_code,
  CAST(NULL AS TIMESTAMP) AS deleted_at,
  CASE WHEN {{ chance('adderss', 4) }} THEN seed_companies.city_name END AS adderss,
  CASE WHEN {{ chance('should_receive_sims', 5) }} THEN {{ chance('sims', 50) }} END AS should_receive_sims,
  {{ between('access right', 1, 9) }} AS user_access_right_id,
  CASE WHEN {{ chance('should_recieve_email', 5) }} THEN {{ chance('recieve', 50) }} END AS should_recieve_email,
  CASE WHEN {{ chance('referal_code', 3) }} THEN {{ letters('referral head', 4) }} || {{ digits('referral', 4) }} END AS referal_code,
  CASE WHEN {{ chance('other_details', 35) }} THEN '{"language": "' || {{ one_of('language', ['en', 'hi', 'gu', 'mr', 'ta']) }} || '"}' END AS other_details,
  {{ chance('send_whatsapp_msg', 70) }} AS send_whatsapp_msg,
  CASE WHEN seed_companies.teams > 0 THEN '[' || {{ text('(seed_companies.number - 1) * 2 + 1') }} || ']' END AS team_identifiers,
  CASE WHEN {{ chance('is_mfa_enabled', 15) }} THEN {{ letters('mfa_secret', 6) }} || {{ letters('mfa_secret tail', 6) }} END AS mfa_secret,
  {{ chance('is_mfa_enabled', 15) }} AS is_mfa_enabled,
  {{ chance('is_subscribed_to_zones', 45) }} AS is_subscribed_to_zones,
  {{ staff(client_number, 'created_by_user') }} AS created_by_user,
  CASE WHEN {{ chance('ip_info', 60) }} THEN '{"ip": "203.0.113.' || {{ text(between('ip_info', 1, 254)) }} || '"}' END AS ip_info,
  CASE WHEN {{ chance('session_id', 50) }} THEN {{ digits('session_id', 9) }} || {{ letters('session_id tail', 6) }} END AS session_id,
  {{ draw('access_mode', 3) }} AS access_mode,
  {{ chance('terms_and_policy_accepted', 92) }} AS terms_and_policy_accepted,
  CASE
    WHEN {{ chance('terms_and_policy_accepted', 92) }}
    THEN '{"version": ' || {{ text(between('tnc_and_policy_log', 1, 4)) }} || ', "accepted_on": "' || CAST(CAST({{ created_at }} AS DATE) AS VARCHAR(10)) || '"}'
  END AS tnc_and_policy_log
FROM seed_users
INNER JOIN seed_companies
  ON seed_users.company_number = seed_companies.number
{{ word('men', 'male_first_name', 'male first name') }}
{{ word('women', 'female_first_name', 'female first name') }}
{{ word('last_names', 'last_name', 'last name') }}
{{ word('streets', 'street', 'street') }}
{{ word('remarks', 'remark', 'remark') }}
