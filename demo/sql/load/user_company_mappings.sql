-- Who acts for which company: each user for the own one, a few for a second one.
-- Grain: user and mapping number.
{% set row = '(seed_users.id * 2 + seed_digits.digit)' %}
{% from 'macros.sql' import between, chance, day_later, digits, draw, later, one_of, staff, text, updated, word with context %}
{% set created_at = later('seed_companies.created_at', 'created_at', 'minute', 90000) %}
SELECT
  CASE WHEN seed_digits.digit = 1 THEN seed_users.id ELSE {{ users }} + seed_users.id END AS id,
  seed_users.id AS user_id,
  CASE WHEN seed_digits.digit = 1 THEN seed_companies.id ELSE {{ first_company }} + {{ draw('second company', companies) }} END AS company_id,
  CASE WHEN {{ chance('status', 93) }} THEN 1 ELSE 0 END AS status,
  {{ created_at }} AS created_at,
  CASE WHEN {{ chance('trade_identifier', 60) }} THEN 'T' || {{ digits('trade_identifier', 8) }} END AS trade_identifier,
  CASE WHEN {{ chance('designation_id', 80) }} THEN {{ between('designation_id', 1, words['designation']) }} END AS designation_id,
  CASE WHEN {{ chance('erp_id', 25) }} THEN 'BP' || {{ digits('erp_id', 7) }} END AS erp_id,
  {{ updated(created_at) }} AS updated_at,
  designations.word AS role,
  departments.word AS department,
  CASE WHEN seed_users.user_number > 1 AND NOT seed_users.is_staff THEN seed_companies.users_before + 1 END AS reporting_user_id,
  seed_users.user_number = 1 AND seed_digits.digit = 1 AS is_primary,
  seed_digits.digit = 1 AS is_default_company,
  '{' || {{ text(between('access_right_ids', 1, 19)) }} || '}' AS access_right_ids,
  {{ day_later(created_at, 'joined_on', 20) }} AS joined_on,
  CASE WHEN NOT {{ chance('status', 93) }} THEN {{ day_later(created_at, 'left_on', 250) }} END AS left_on,
  {{ staff(client_number, 'invited_by') }} AS invited_by,
  {{ created_at }} AS invited_at,
  CASE WHEN {{ chance('accepted_at', 85) }} THEN {{ later(created_at, 'accepted_at', 'minute', 20000) }} END AS accepted_at,
  CASE WHEN {{ chance('accepted_at', 85) }} THEN {{ later(created_at, 'last_accessed_at', 'minute', 400000) }} END AS last_accessed_at,
  CASE WHEN {{ chance('notification_settings', 30) }} THEN '{"whatsapp": true, "email": false}' END AS notification_settings,
  {{ one_of('locale', ['en-IN', 'en-IN', 'hi-IN', 'gu-IN', 'mr-IN']) }} AS locale,
  {{ staff(client_number, 'created_by') }} AS created_by,
  CASE WHEN {{ chance('updated_by', 40) }} THEN {{ staff(client_number, 'updated_by') }} END AS updated_by,
  CASE WHEN NOT {{ chance('status', 93) }} THEN {{ one_of('deactivation_reason', ['Left the firm', 'Number not reachable', 'Asked to be removed']) }} END AS deactivation_reason,
  {{ draw('lock_version', 6) }} AS lock_version
FROM seed_users
INNER JOIN seed_companies
  ON seed_users.company_number = seed_companies.number
INNER JOIN seed_digits
  ON seed_digits.digit = 1
  OR (seed_digits.digit = 2 AND NOT seed_users.is_staff AND {{ chance('second company', 4) }})
{{ word('designations', 'designation', 'designation') }}
{{ word('departments', 'department', 'department') }}
