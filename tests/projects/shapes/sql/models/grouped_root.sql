-- GROUP BY and HAVING at the top; the anchor can be NULL.
{{ config(unique_key='region_key', meta={'cdc': {'anchor': 'region_id'}}) }}
SELECT
  COALESCE(CAST(c.region_id AS VARCHAR(20)), 'none') AS region_key,
  c.region_id AS region_id,
  COUNT(*) AS customers,
  MIN(r.name) AS name
FROM {{ source('live', 'customers') }} AS c
LEFT JOIN {{ source('live', 'regions') }} AS r
  ON c.region_id = r.id
WHERE
  c.status = 1
GROUP BY
  c.region_id
HAVING
  COUNT(*) > 1
