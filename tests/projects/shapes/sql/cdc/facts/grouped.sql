-- The SELECT of grouped on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A grouped CTE, entered by its key. */
WITH totals AS (
  SELECT
    o.customer_id,
    COUNT(*) AS order_count,
    COUNT(DISTINCT o.status) AS statuses,
    SUM(o.amount) AS amount,
    MAX(o.created_at) AS last_at
  FROM shapes_live.orders AS o
  GROUP BY
    o.customer_id
)
SELECT
  c.id AS customer_id,
  c.name AS name,
  totals.order_count,
  totals.statuses,
  CAST(totals.amount AS DECIMAL(18, 2)) AS amount,
  totals.last_at
FROM shapes_live.customers AS c
LEFT JOIN totals
  ON totals.customer_id = c.id
