-- A grouped CTE, entered by its key.
{{ config(unique_key='customer_id') }}
WITH totals AS (
  SELECT
    o.customer_id,
    COUNT(*) AS order_count,
    COUNT(DISTINCT o.status) AS statuses,
    SUM(o.amount) AS amount,
    MAX(o.created_at) AS last_at
  FROM {{ source('live', 'orders') }} AS o
  GROUP BY
    o.customer_id
)
SELECT
  c.id AS customer_id,
  c.name AS name,
  totals.order_count,
  totals.statuses,
  CAST(totals.amount AS NUMERIC(18, 2)) AS amount,
  totals.last_at
FROM {{ source('live', 'customers') }} AS c
LEFT JOIN totals
  ON totals.customer_id = c.id
