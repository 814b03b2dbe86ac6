-- Grain: one row per order line.
SELECT
  order_lines.line_code,
  order_lines.order_id,
  products.title AS product_title,
  products.price AS product_price,
  order_lines.quantity
FROM {{ source('shop_raw', 'order_lines') }} AS order_lines
LEFT JOIN {{ source('shop_raw', 'products') }} AS products
  ON products.product_id = order_lines.product_id
