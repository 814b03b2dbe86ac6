-- The tree of product categories.
{% set row = 'seed_categories.category_id' %}
{% from 'macros.sql' import between, chance, decimal, digits, draw, later, one_of, staff, text, updated, word with context %}
{% set created_at = later("CAST('2019-07-01 06:00:00' AS TIMESTAMP)", 'created_at', 'minute', 200000) %}
SELECT
  seed_categories.category_id AS id,
  seed_categories.name || CASE WHEN {{ draw('blank', 50) }} = 0 THEN '  ' ELSE '' END AS name,
  seed_categories.ancestry,
  CASE WHEN {{ chance('status', 95) }} THEN 1 ELSE 0 END AS status,
  {{ created_at }} AS created_at,
  {{ updated(created_at) }} AS updated_at,
  seed_categories.depth + 1 AS hierarchy_type,
  CASE WHEN {{ chance('alias', 30) }} THEN LOWER(REPLACE(seed_categories.name, ' ', '_')) END AS alias,
  CASE WHEN {{ chance('origins', 50) }} THEN {{ one_of('origins', ['Gujarat', 'Madhya Pradesh, Rajasthan', 'Punjab', 'Imported', 'Karnataka']) }} END AS origins,
  CAST({{ one_of('gst', ['0', '5', '12', '18']) }} AS NUMERIC(5, 2)) AS gst,
  'https://assets.example/categories/' || {{ text('seed_categories.category_id') }} || '.png' AS image_url,
  {{ between('category_type', 1, 3) }} AS category_type,
  CASE
    WHEN seed_categories.depth = 2
    THEN '{"moisture": {"max": ' || {{ text(between('moisture', 8, 14)) }} || '}, "foreign_matter": {"max": 1}}'
  END AS quality_params,
  CASE WHEN {{ chance('company_id', 10) }} THEN {{ first_company }} + {{ draw('company_id', clients) }} END AS company_id,
  {{ chance('is_default_category', 90) }} AS is_default_category,
  'PC' || LPAD({{ text('seed_categories.category_id') }}, 4, '0') AS category_code,
  CASE WHEN {{ chance('description', 40) }} THEN 'All grades of ' || LOWER(seed_categories.name) END AS description,
  seed_categories.parent_id,
  seed_categories.category_id * 10 AS display_position,
  seed_categories.depth,
  CASE WHEN seed_categories.depth = 2 THEN {{ digits('hsn_code', 8) }} END AS hsn_code,
  {{ one_of('unit_of_measure', ['MT', 'Quintal', 'kg', 'Litre', 'Piece']) }} AS unit_of_measure,
  CASE WHEN seed_categories.depth = 2 THEN {{ decimal('base_price', 1500, 900000, 2) }} END AS base_price,
  {{ decimal('price_tolerance_percent', 50, 1000, 2) }} AS price_tolerance_percent,
  {{ chance('is_perishable', 35) }} AS is_perishable,
  CASE WHEN {{ chance('is_perishable', 35) }} THEN {{ between('shelf_life_days', 5, 365) }} END AS shelf_life_days,
  seed_categories.depth = 2 AS is_tradable,
  storages.word AS storage_conditions,
  {{ one_of('packaging_types', ['Bulk', 'PP bag 50 kg', 'Jute bag 50 kg', 'Drum', 'Carton']) }} AS packaging_types,
  CASE seed_categories.name
    WHEN 'Basmati Rice' THEN '{"hi": "बासमती चावल"}'
    WHEN 'Wheat' THEN '{"hi": "गेहूँ"}'
    WHEN 'Onion' THEN '{"hi": "प्याज"}'
    ELSE '{}'
  END AS translations,
  LOWER(seed_categories.name) AS search_keywords,
  CASE WHEN {{ chance('is_perishable', 35) }} THEN '{"arrivals": [' || {{ text(between('seasonality', 1, 12)) }} || ']}' END AS seasonality,
  {{ staff('1', 'created_by') }} AS created_by,
  CASE WHEN {{ chance('updated_by', 40) }} THEN {{ staff('1', 'updated_by') }} END AS updated_by,
  CASE WHEN {{ chance('approved', 60) }} THEN {{ staff('1', 'approved_by') }} END AS approved_by,
  CASE WHEN {{ chance('approved', 60) }} THEN {{ later(created_at, 'approved_at', 'minute', 30000) }} END AS approved_at,
  CASE WHEN {{ chance('erp_id', 50) }} THEN 'MAT' || {{ digits('erp_id', 6) }} END AS erp_id,
  {{ draw('lock_version', 6) }} AS lock_version
FROM seed_categories
{{ word('storages', 'storage', 'storage_conditions') }}
