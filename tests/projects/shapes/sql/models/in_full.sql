-- A shape that can not be maintained, rebuilt in full where a column that it reads has changed; LIMIT leaves ties open.
{{ config(unique_key='order_id') }}
SELECT
  o.id AS order_id,
  o.amount AS amount,
  (
    SELECT
      COUNT(*)
    FROM {{ source('live', 'customers') }} AS c
  ) AS customer_count
FROM {{ source('live', 'orders') }} AS o
ORDER BY
  o.created_at DESC
LIMIT 3
