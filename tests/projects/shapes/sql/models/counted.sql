-- A correlated scalar subquery.
{{ config(unique_key='customer_id') }}
SELECT
  c.id AS customer_id,
  (
    SELECT
      COUNT(*)
    FROM {{ source('live', 'orders') }} AS o
    WHERE
      o.customer_id = c.id
  ) AS order_count
FROM {{ source('live', 'customers') }} AS c
