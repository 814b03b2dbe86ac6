-- A source in three roles, one of them a self join.
{{ config(unique_key='order_id') }}
SELECT
  o.id AS order_id,
  c.name AS customer_name,
  referrer.name AS referrer_name,
  grand.name AS grand_referrer_name
FROM {{ source('live', 'orders') }} AS o
LEFT JOIN {{ source('live', 'customers') }} AS c
  ON o.customer_id = c.id
LEFT JOIN {{ source('live', 'customers') }} AS referrer
  ON c.referrer_id = referrer.id
LEFT JOIN {{ source('live', 'customers') }} AS grand
  ON referrer.referrer_id = grand.id
