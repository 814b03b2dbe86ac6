-- Windows over groups, and aliases that mean something else inside.
{{ config(unique_key='pair', meta={'cdc': {'anchor': 'customer_id'}}) }}
WITH orders AS (
  SELECT
    o.customer_id AS c,
    o.status,
    SUM(o.amount) AS amount,
    SUM(SUM(o.amount)) OVER (PARTITION BY o.customer_id) AS total
  FROM {{ source('live', 'orders') }} AS o
  GROUP BY
    o.customer_id,
    o.status
)
SELECT
  CAST(c.id AS VARCHAR(20)) || '/' || COALESCE(CAST(orders.status AS VARCHAR(20)), '') AS pair,
  c.id AS customer_id,
  CAST(orders.amount AS NUMERIC(18, 2)) AS amount,
  CAST(orders.total AS NUMERIC(18, 2)) AS total,
  (
    SELECT
      MAX(c.name)
    FROM {{ source('live', 'regions') }} AS c
    WHERE
      c.id = customers.region_id
  ) AS region_name
FROM (
  SELECT DISTINCT
    c.id
  FROM {{ source('live', 'customers') }} AS c
) AS c
INNER JOIN {{ source('live', 'customers') }} AS customers
  ON customers.id = c.id
LEFT JOIN orders
  ON orders.c = c.id
