-- The SELECT of grouped_expression on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* GROUP BY and PARTITION BY expressions, joined by the same expressions. */
SELECT
  c.id AS customer_id,
  days.order_count,
  latest.id AS latest_id
FROM shapes_live.customers AS c
LEFT JOIN (
  SELECT
    COALESCE(o.customer_id, 0) + 1 AS next_id,
    COUNT(*) AS order_count
  FROM shapes_live.orders AS o
  GROUP BY
    COALESCE(o.customer_id, 0) + 1
) AS days
  ON days.next_id = c.id
LEFT JOIN (
  SELECT
    o.id,
    LOWER(o.region_ids) AS ids
  FROM shapes_live.orders AS o
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY LOWER(o.region_ids) ORDER BY o.id DESC) = 1
) AS latest
  ON latest.ids = CAST(c.id AS VARCHAR(20))
