-- A window at the top; the anchor is its partition and changes with the row.
{{ config(unique_key='order_id', meta={'cdc': {'anchor': 'customer_id'}}) }}
SELECT
  o.customer_id AS customer_id,
  o.id AS order_id,
  RANK() OVER (PARTITION BY o.customer_id ORDER BY o.amount, o.id) AS place
FROM {{ source('live', 'orders') }} AS o
