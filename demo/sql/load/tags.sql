-- Labels: the usual ones of each client first, then those that other companies made for themselves.
{% set row = 'seed_numbers.number' %}
{% from 'macros.sql' import between, chance, day_later, digits, draw, later, one_of, staff, text, updated with context %}
{% set created_at = later("CAST('2020-02-01 06:00:00' AS TIMESTAMP)", 'created_at', 'minute', 1500000) %}
SELECT
  seed_numbers.number AS id,
  CASE
    WHEN seed_numbers.number <= {{ tag_names }} THEN seed_tags.name
    ELSE seed_tags.name || ' ' || {{ text('seed_numbers.number') }}
  END || CASE WHEN {{ draw('blank', 100) }} = 0 THEN ' ' ELSE '' END AS name,
  {{ staff('1', 'creator_company_mapping_id') }} AS creator_company_mapping_id,
  CASE WHEN {{ chance('status', 95) }} THEN 1 ELSE 0 END AS status,
  {{ created_at }} AS created_at,
  {{ updated(created_at) }} AS updated_at,
  {{ one_of('visibility_level_type', ['Company', 'Team', 'User']) }} AS visibility_level_type,
  {{ first_company }} + {{ draw('visibility_level_id', clients) }} AS visibility_level_id,
  {{ staff('1', 'user_company_mapping_id') }} AS user_company_mapping_id,
  CASE WHEN {{ chance('description', 30) }} THEN 'Vendors marked as ' || LOWER(seed_tags.name) END AS description,
  {{ one_of('tag_group', ['Sourcing', 'Quality', 'Payment', 'Region', 'Certificates']) }} AS tag_group,
  {{ one_of('color', ['#1b7f79', '#ff9f1c', '#d7263d', '#2e294e', '#8ac926']) }} AS color,
  {{ one_of('icon', ['label', 'star', 'flag', 'shield']) }} AS icon,
  seed_numbers.number <= {{ tag_names }} AS is_system_tag,
  {{ chance('is_exclusive', 10) }} AS is_exclusive,
  {{ draw('taggings_count', 400) }} AS taggings_count,
  seed_numbers.number * 10 AS display_position,
  {{ day_later(created_at, 'valid_from', 10) }} AS valid_from,
  CASE WHEN {{ chance('valid_until', 15) }} THEN {{ day_later(created_at, 'valid_until', 900) }} END AS valid_until,
  CASE seed_tags.name WHEN 'Organic' THEN '{"hi": "जैविक"}' WHEN 'Local' THEN '{"hi": "स्थानीय"}' ELSE '{}' END AS translations,
  CASE WHEN {{ chance('approved', 60) }} THEN {{ staff('1', 'approved_by') }} END AS approved_by,
  CASE WHEN {{ chance('approved', 60) }} THEN {{ later(created_at, 'approved_at', 'minute', 30000) }} END AS approved_at,
  CASE WHEN {{ chance('updated_by', 40) }} THEN {{ staff('1', 'updated_by') }} END AS updated_by,
  CASE WHEN {{ chance('erp_id', 30) }} THEN 'TAG' || {{ digits('erp_id', 6) }} END AS erp_id,
  {{ draw('lock_version', 6) }} AS lock_version
FROM seed_numbers
INNER JOIN seed_tags
  ON seed_tags.tag_number = 1 + MOD(seed_numbers.number - 1, {{ tag_names }})
WHERE
  seed_numbers.number <= {{ tags }}
