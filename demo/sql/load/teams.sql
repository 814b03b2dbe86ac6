-- Teams with the product categories they trade in, as a list in either of the two forms that the upstream writes.
-- Grain: company and team number.
{% set row = '(seed_companies.number * 2 + seed_digits.digit)' %}
{% from 'macros.sql' import between, chance, day_later, decimal, digits, draw, later, one_of, staff, text, updated with context %}
{% set created_at = later('seed_companies.created_at', 'created_at', 'minute', 70000) %}
{% set is_inactive = 'NOT ' ~ chance('status', 92) %}
SELECT
  (seed_companies.number - 1) * 2 + seed_digits.digit AS id,
  seed_companies.id AS company_id,
  seed_companies.trade || ' ' || {{ one_of('name', ['Desk', 'Sales', 'Procurement', 'Team', 'Exports']) }} AS name,
  CASE WHEN {{ is_inactive }} THEN 0 ELSE 1 END AS status,
  {{ created_at }} AS created_at,
  {{ updated(created_at) }} AS updated_at,
  {{ between('team_type', 1, 3) }} AS team_type,
  CASE WHEN {{ chance('zone_id', 50) }} THEN {{ between('zone_id', 1, 24) }} END AS zone_id,
  CASE WHEN {{ chance('other_details', 25) }} THEN '{"shift": "' || {{ one_of('shift', ['day', 'night']) }} || '"}' END AS other_details,
  CASE {{ draw('categories', 20) }}
    WHEN 0 THEN NULL
    WHEN 1 THEN '{}'
    WHEN 2 THEN '[]'
    ELSE
      CASE WHEN MOD({{ draw('categories', 20) }}, 2) = 0 THEN '{' ELSE '[' END
      || {{ text(between('category', 1, categories)) }}
{% for place in ['second', 'third', 'fourth'] %}
      || CASE
        WHEN {{ draw('category count', 4) }} < {{ loop.index }} THEN ''
        ELSE CASE WHEN MOD({{ draw('categories', 20) }}, 2) = 0 THEN ',' ELSE ', ' END || {{ text(between(place ~ ' category', 1, categories)) }}
      END
{% endfor %}
      || CASE WHEN MOD({{ draw('categories', 20) }}, 2) = 0 THEN '}' ELSE ']' END
  END AS product_category_ids,
  CASE WHEN {{ chance('buyer_hub_ids', 40) }} THEN '{' || {{ text(between('buyer_hub_ids', 1, 30)) }} || '}' END AS buyer_hub_ids,
  CASE WHEN {{ chance('purchase_group_ids', 30) }} THEN '[' || {{ text(between('purchase_group_ids', 1, 30)) }} || ']' END AS purchase_group_ids,
  CASE WHEN {{ chance('description', 20) }} THEN 'Looks after ' || LOWER(seed_companies.trade) END AS description,
  'TM' || {{ digits('team_code', 6) }} AS team_code,
  CASE WHEN seed_digits.digit = 2 THEN (seed_companies.number - 1) * 2 + 1 END AS parent_team_id,
  CASE
    WHEN seed_companies.number <= {{ clients }} THEN seed_companies.number
    WHEN seed_companies.contacts > 0 THEN seed_companies.users_before + 1
  END AS lead_user_id,
  {{ staff(client_number, 'created_by') }} AS created_by,
  CASE WHEN {{ chance('updated_by', 40) }} THEN {{ staff(client_number, 'updated_by') }} END AS updated_by,
  CASE WHEN {{ is_inactive }} THEN {{ later(created_at, 'deactivated_at', 'minute', 300000) }} END AS deactivated_at,
  CASE WHEN {{ is_inactive }} THEN {{ staff(client_number, 'deactivated_by') }} END AS deactivated_by,
  CASE WHEN {{ is_inactive }} THEN {{ one_of('deactivation_reason', ['Merged', 'No trade for a year', 'Set up by mistake']) }} END AS deactivation_reason,
  seed_digits.digit = 1 AS is_default,
  {{ chance('approval_required', 30) }} AS approval_required,
  CASE WHEN {{ chance('approval_required', 30) }} THEN {{ decimal('approval_limit', 500000, 90000000, 2) }} END AS approval_limit,
  seed_companies.currency,
  CASE WHEN {{ chance('cost_center_code', 35) }} THEN 'CC' || {{ digits('cost_center_code', 5) }} END AS cost_center_code,
  CASE WHEN {{ chance('erp_id', 30) }} THEN 'TEAM' || {{ digits('erp_id', 6) }} END AS erp_id,
  CASE WHEN {{ chance('erp_id', 30) }} THEN {{ later(created_at, 'erp_synced_at', 'minute', 300000) }} END AS erp_synced_at,
  {{ draw('integration_status', 4) }} AS integration_status,
  CASE WHEN {{ chance('email', 35) }} THEN 'team' || {{ text('seed_digits.digit') }} || '@' || seed_companies.domain END AS email,
  CASE WHEN {{ chance('notification_settings', 30) }} THEN '{"digest": "daily"}' END AS notification_settings,
  {{ one_of('locale', ['en-IN', 'hi-IN']) }} AS locale,
  'Asia/Kolkata' AS time_zone,
  {{ day_later(created_at, 'valid_from', 30) }} AS valid_from,
  CASE WHEN {{ chance('valid_until', 10) }} THEN {{ day_later(created_at, 'valid_until', 900) }} END AS valid_until,
  {{ draw('lock_version', 6) }} AS lock_version
FROM seed_companies
INNER JOIN seed_digits
  ON seed_digits.digit BETWEEN 1 AND seed_companies.teams
