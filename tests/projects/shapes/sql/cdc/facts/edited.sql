-- The SELECT of edited on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* When each customer and its orders were last edited: a change of the cursor alone shows. */
SELECT
  customers.id,
  customers.updated_at AS edited_at,
  MAX(orders.updated_at) AS last_order_edited_at,
  COUNT(orders.id) AS orders
FROM shapes_live.customers AS customers
LEFT JOIN shapes_live.orders AS orders
  ON orders.customer_id = customers.id
GROUP BY
  customers.id,
  customers.updated_at
