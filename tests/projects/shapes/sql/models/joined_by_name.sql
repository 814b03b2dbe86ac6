-- Joined by a string, whose trailing blanks do not count.
{{ config(unique_key='pair', meta={'cdc': {'anchor': 'customer_id'}}) }}
SELECT
  CAST(c.id AS VARCHAR(20)) || '/' || COALESCE(CAST(r.id AS VARCHAR(20)), '') AS pair,
  c.id AS customer_id,
  c.name AS name,
  r.name AS region_name
FROM {{ source('live', 'customers') }} AS c
LEFT JOIN {{ source('live', 'regions') }} AS r
  ON r.name = c.name
