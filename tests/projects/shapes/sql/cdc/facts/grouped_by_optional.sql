-- The SELECT of grouped_by_optional on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A group key from the optional side of an outer join. */
SELECT
  r.id AS region_id,
  r.name AS name,
  g.order_count,
  g.customer_count
FROM shapes_live.regions AS r
LEFT JOIN (
  SELECT
    c.region_id,
    COUNT(*) AS order_count,
    COUNT(DISTINCT c.id) AS customer_count
  FROM shapes_live.orders AS o
  LEFT JOIN shapes_live.customers AS c
    ON o.customer_id = c.id AND c.status = 1
  GROUP BY
    c.region_id
) AS g
  ON g.region_id = r.id
