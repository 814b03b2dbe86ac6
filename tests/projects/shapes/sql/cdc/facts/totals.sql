-- The SELECT of totals on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* One row for all orders and one for all regions: recomputed when a row changes that counts in one of them. */
SELECT
  kinds.place AS place,
  kinds.amount AS amount,
  (
    SELECT
      COUNT(*)
    FROM shapes_live.customers AS c
  ) AS customer_count
FROM (
  SELECT
    'orders' AS place,
    MAX(o.amount) AS amount
  FROM shapes_live.orders AS o
  UNION ALL
  SELECT
    'regions' AS place,
    CAST(COUNT(*) AS DECIMAL(10, 2)) AS amount
  FROM shapes_live.regions AS r
) AS kinds
