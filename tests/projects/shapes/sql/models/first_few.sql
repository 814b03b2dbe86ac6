-- LIMIT: the customers with the largest orders; who comes next is not known before the fact is computed as a whole.
{{ config(unique_key='customer_id') }}
SELECT
  o.customer_id,
  c.name,
  CAST(SUM(o.amount) AS NUMERIC(18, 2)) AS amount,
  COUNT(*) AS order_count
FROM {{ source('live', 'orders') }} AS o
LEFT JOIN {{ source('live', 'customers') }} AS c
  ON c.id = o.customer_id
WHERE
  NOT o.customer_id IS NULL
GROUP BY
  o.customer_id,
  c.name
ORDER BY
  amount DESC
LIMIT 3
