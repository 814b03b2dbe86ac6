-- Items for which a company is a preferred vendor: three of ten companies have some.
-- Grain: company and item number.
{% set row = '(seed_companies.number * 4 + seed_digits.digit)' %}
{% from 'macros.sql' import between, chance, day_later, decimal, digits, draw, later, one_of, staff, text, updated, word with context %}
{% set created_at = later('seed_companies.created_at', 'created_at', 'minute', 150000) %}
SELECT
  (seed_companies.number - 1) * 3 + seed_digits.digit AS id,
  {{ one_of('item_type', ['ProductCategory', 'ProductCategory', 'Sku']) }} AS item_type,
  {{ between('item_id', 1, 900) }} AS item_id,
  seed_companies.id AS company_id,
  CASE WHEN {{ chance('status', 88) }} THEN 1 ELSE 0 END AS status,
  {{ created_at }} AS created_at,
  {{ updated(created_at) }} AS updated_at,
  {{ between('preference_rank', 1, 5) }} AS preference_rank,
  CASE WHEN {{ chance('allocation_percent', 50) }} THEN {{ decimal('allocation_percent', 500, 10000, 2) }} END AS allocation_percent,
  {{ decimal('min_order_quantity', 1000, 50000, 3) }} AS min_order_quantity,
  CASE WHEN {{ chance('max_order_quantity', 60) }} THEN {{ decimal('max_order_quantity', 60000, 900000, 3) }} END AS max_order_quantity,
  {{ one_of('unit_of_measure', ['MT', 'Quintal', 'kg', 'Piece']) }} AS unit_of_measure,
  CASE WHEN {{ chance('agreed_price', 55) }} THEN {{ decimal('agreed_price', 1500, 900000, 2) }} END AS agreed_price,
  seed_companies.currency,
  {{ between('lead_time_days', 1, 45) }} AS lead_time_days,
  {{ day_later(created_at, 'valid_from', 30) }} AS valid_from,
  CASE WHEN {{ chance('valid_until', 40) }} THEN {{ day_later(created_at, 'valid_until', 700) }} END AS valid_until,
  CASE WHEN {{ chance('contract_number', 40) }} THEN 'RC/' || {{ digits('contract_number', 6) }} END AS contract_number,
  {{ chance('is_exclusive', 10) }} AS is_exclusive,
  CASE WHEN {{ chance('approved', 60) }} THEN {{ staff(client_number, 'approved_by') }} END AS approved_by,
  CASE WHEN {{ chance('approved', 60) }} THEN {{ later(created_at, 'approved_at', 'minute', 30000) }} END AS approved_at,
  CASE WHEN {{ chance('remarks', 15) }} THEN remarks.word END AS remarks,
  {{ staff(client_number, 'created_by') }} AS created_by,
  CASE WHEN {{ chance('updated_by', 30) }} THEN {{ staff(client_number, 'updated_by') }} END AS updated_by,
  {{ draw('lock_version', 6) }} AS lock_version
FROM seed_companies
INNER JOIN seed_digits
  ON seed_digits.digit BETWEEN 1 AND seed_companies.items
{{ word('remarks', 'remark', 'remark') }}
