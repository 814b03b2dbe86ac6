-- The SELECT of shares on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Windows over groups, and aliases that mean something else inside. */
WITH orders AS (
  SELECT
    o.customer_id AS c,
    o.status,
    SUM(o.amount) AS amount,
    SUM(SUM(o.amount)) OVER (PARTITION BY o.customer_id) AS total
  FROM shapes_live.orders AS o
  GROUP BY
    o.customer_id,
    o.status
)
SELECT
  CAST(c.id AS VARCHAR(20)) || '/' || COALESCE(CAST(orders.status AS VARCHAR(20)), '') AS pair,
  c.id AS customer_id,
  CAST(orders.amount AS DECIMAL(18, 2)) AS amount,
  CAST(orders.total AS DECIMAL(18, 2)) AS total,
  (
    SELECT
      MAX(c.name)
    FROM shapes_live.regions AS c
    WHERE
      c.id = customers.region_id
  ) AS region_name
FROM (
  SELECT DISTINCT
    c.id
  FROM shapes_live.customers AS c
) AS c
INNER JOIN shapes_live.customers AS customers
  ON customers.id = c.id
LEFT JOIN orders
  ON orders.c = c.id
