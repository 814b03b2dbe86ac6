-- When each customer and its orders were last edited: a change of the cursor alone shows.
{{ config(unique_key='id') }}
SELECT
  customers.id,
  customers.updated_at AS edited_at,
  MAX(orders.updated_at) AS last_order_edited_at,
  COUNT(orders.id) AS orders
FROM {{ source('live', 'customers') }} AS customers
LEFT JOIN {{ source('live', 'orders') }} AS orders
  ON orders.customer_id = customers.id
GROUP BY
  customers.id,
  customers.updated_at
