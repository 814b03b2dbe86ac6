-- Tags on companies, and a few on users and teams.
-- Grain: company and tagging number.
{% set row = '(seed_companies.number * 4 + seed_digits.digit)' %}
{% from 'macros.sql' import between, chance, decimal, digits, draw, later, one_of, staff, text, updated, word with context %}
{% set created_at = later('seed_companies.created_at', 'created_at', 'minute', 120000) %}
SELECT
  (seed_companies.number - 1) * 3 + seed_digits.digit AS id,
  {{ between('tag_id', 1, tags) }} AS tag_id,
  CASE {{ draw('taggable_type', 30) }} WHEN 0 THEN 'User' WHEN 1 THEN 'Team' ELSE 'Company' END AS taggable_type,
  CASE {{ draw('taggable_type', 30) }}
    WHEN 0 THEN {{ staff(client_number, 'taggable_id') }}
    WHEN 1 THEN 1 + {{ draw('taggable_id', clients) }} * 2
    ELSE seed_companies.id
  END AS taggable_id,
  CASE WHEN {{ chance('status', 90) }} THEN 1 ELSE 0 END AS status,
  {{ staff(client_number, 'tagged_by_id') }} AS tagged_by_id,
  {{ created_at }} AS created_at,
  {{ updated(created_at) }} AS updated_at,
  {{ one_of('context', ['sourcing', 'quality', 'payment']) }} AS context,
  CASE WHEN {{ chance('weight', 30) }} THEN {{ decimal('weight', 1, 100, 2) }} END AS weight,
  CASE WHEN {{ chance('is_automatic', 15) }} THEN CAST({{ between('confidence', 50, 100) }} AS DOUBLE PRECISION) / 100 END AS confidence,
  {{ chance('is_automatic', 15) }} AS is_automatic,
  CASE WHEN {{ chance('is_automatic', 15) }} THEN {{ between('rule_id', 1, 20) }} END AS rule_id,
  CASE WHEN {{ chance('note', 10) }} THEN remarks.word END AS note,
  {{ later(created_at, 'valid_from', 'minute', 5000) }} AS valid_from,
  CASE WHEN {{ chance('valid_until', 8) }} THEN {{ later(created_at, 'valid_until', 'minute', 900000) }} END AS valid_until,
  CASE WHEN {{ chance('approved', 30) }} THEN {{ staff(client_number, 'approved_by') }} END AS approved_by,
  CASE WHEN {{ chance('approved', 30) }} THEN {{ later(created_at, 'approved_at', 'minute', 30000) }} END AS approved_at,
  CASE WHEN {{ chance('updated_by', 30) }} THEN {{ staff(client_number, 'updated_by') }} END AS updated_by,
  CASE WHEN {{ chance('import_batch', 25) }} THEN 'batch-' || {{ text(between('import_batch', 1, 90)) }} END AS import_batch,
  CASE WHEN {{ chance('erp_id', 10) }} THEN 'LBL' || {{ digits('erp_id', 7) }} END AS erp_id,
  {{ draw('lock_version', 6) }} AS lock_version
FROM seed_companies
INNER JOIN seed_digits
  ON seed_digits.digit BETWEEN 1 AND seed_companies.tags
{{ word('remarks', 'remark', 'remark') }}
