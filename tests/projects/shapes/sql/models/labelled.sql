-- A row key that ends in a string: with other blanks behind it, it is the same key.
{{ config(unique_key='label', meta={'cdc': {'anchor': 'name'}}) }}
SELECT
  CAST(c.id AS VARCHAR(20)) || ' ' || COALESCE(c.name, '') AS label,
  c.name AS name,
  c.status AS status
FROM {{ source('live', 'customers') }} AS c
