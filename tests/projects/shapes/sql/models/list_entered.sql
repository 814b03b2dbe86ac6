-- A predicate that is no equality, entered from its list: to LIKE, blanks behind a list are part of it.
{{ config(unique_key='region_id') }}
SELECT
  r.id AS region_id,
  COUNT(o.id) AS order_count
FROM {{ source('live', 'regions') }} AS r
LEFT JOIN {{ source('live', 'orders') }} AS o
  ON ',' || o.region_ids || ',' LIKE '%,' || CAST(r.id AS VARCHAR(20)) || ',%'
GROUP BY
  r.id
