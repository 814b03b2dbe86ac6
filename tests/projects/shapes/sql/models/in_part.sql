-- Regions are joined by a value of several orders, and read as a whole: a change of one rebuilds the fact in full.
{{ config(unique_key='customer_id') }}
SELECT
  c.id AS customer_id,
  c.name AS name,
  g.order_count AS order_count,
  r.name AS region_name
FROM {{ source('live', 'customers') }} AS c
LEFT JOIN (
  SELECT
    o.customer_id AS customer_id,
    COUNT(*) AS order_count,
    MAX(o.status) AS status
  FROM {{ source('live', 'orders') }} AS o
  GROUP BY
    o.customer_id
) AS g
  ON g.customer_id = c.id
LEFT JOIN {{ source('live', 'regions') }} AS r
  ON r.id = g.status
