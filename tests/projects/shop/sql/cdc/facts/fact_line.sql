-- The SELECT of fact_line on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Grain: one row per order line. */
SELECT
  order_lines.line_code,
  order_lines.order_id,
  products.title AS product_title,
  products.price AS product_price,
  order_lines.quantity
FROM shop_raw.order_lines AS order_lines
LEFT JOIN shop_raw.products AS products
  ON products.product_id = order_lines.product_id
