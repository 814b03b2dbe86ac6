-- The SELECT of filtered_optional on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* WHERE on the optional side of outer joins, by predicates that a missing row may or may not satisfy. */
SELECT
  c.id AS customer_id,
  COUNT(*) AS rows_left,
  COUNT(o.id) AS order_count
FROM shapes_live.customers AS c
LEFT JOIN shapes_live.regions AS r
  ON c.region_id = r.id
LEFT JOIN shapes_live.orders AS o
  ON o.customer_id = c.id
WHERE
  COALESCE(r.status, 1) = c.status
  AND (
    o.status = r.status OR o.id IS NULL
  )
  AND COALESCE(o.amount, 2) >= r.parent_id
GROUP BY
  c.id
