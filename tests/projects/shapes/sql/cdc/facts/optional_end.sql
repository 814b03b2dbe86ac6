-- The SELECT of optional_end on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A chain of outer joins entered from its optional end, where each ON reaches back. */
SELECT
  r.id AS region_id,
  g.order_count,
  g.referrers,
  (
    SELECT
      COUNT(*)
    FROM shapes_live.orders AS o
    LEFT JOIN shapes_live.customers AS r
      ON r.id = o.customer_id
    WHERE
      r.region_id = g.region_id
  ) AS all_orders
FROM shapes_live.regions AS r
LEFT JOIN (
  SELECT
    home.parent_id AS region_id,
    COUNT(*) AS order_count,
    COUNT(DISTINCT referrer.id) AS referrers
  FROM shapes_live.orders AS o
  LEFT JOIN shapes_live.customers AS c
    ON o.customer_id = c.id AND c.status = o.status
  LEFT JOIN shapes_live.customers AS referrer
    ON c.referrer_id = referrer.id
  LEFT JOIN shapes_live.regions AS home
    ON referrer.region_id = home.id AND home.status = o.status
  GROUP BY
    home.parent_id
) AS g
  ON g.region_id = r.id
