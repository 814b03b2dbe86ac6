-- The SELECT of fact_order on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Grain: one row per order of a known customer. */
SELECT
  orders.order_id,
  orders.customer_id,
  customers.name AS customer_name,
  customers.country,
  orders.total,
  orders.gift,
  orders.delivery_on,
  lines.line_count,
  lines.quantity
FROM shop_raw.orders AS orders
JOIN shop_raw.customers AS customers
  ON customers.customer_id = orders.customer_id
LEFT JOIN (
  SELECT
    order_lines.order_id,
    COUNT(*) AS line_count,
    SUM(order_lines.quantity) AS quantity
  FROM shop_raw.order_lines AS order_lines
  GROUP BY
    order_lines.order_id
) AS lines
  ON lines.order_id = orders.order_id
WHERE
  orders.status = 'paid'
