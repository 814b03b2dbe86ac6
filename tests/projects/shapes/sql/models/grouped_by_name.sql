-- Grouped by a string: which of two names that differ in trailing blanks it shows is left open.
{{ config(unique_key='name') }}
SELECT
  c.name AS name,
  MAX(r.name) AS last_region,
  COUNT(*) AS customers
FROM {{ source('live', 'customers') }} AS c
LEFT JOIN {{ source('live', 'regions') }} AS r
  ON r.parent_id = c.region_id
WHERE
  c.name IS NOT NULL
GROUP BY
  c.name
