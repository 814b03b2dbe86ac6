-- A branch whose key is a constant: all rows without a customer count in one.
{{ config(unique_key='customer_id') }}
SELECT
  c.id AS customer_id,
  c.name AS name,
  COUNT(o.id) AS order_count
FROM {{ source('live', 'customers') }} AS c
LEFT JOIN {{ source('live', 'orders') }} AS o
  ON o.customer_id = c.id
GROUP BY
  c.id,
  c.name
UNION ALL
SELECT
  -1 AS customer_id,
  'none' AS name,
  COUNT(*) AS order_count
FROM {{ source('live', 'orders') }} AS o
LEFT JOIN {{ source('live', 'customers') }} AS c
  ON c.id = o.customer_id
WHERE
  c.id IS NULL
