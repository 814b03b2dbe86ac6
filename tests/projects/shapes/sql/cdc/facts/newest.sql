-- The SELECT of newest on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* The newest row of each group by QUALIFY. */
SELECT
  c.id AS customer_id,
  newest.id AS order_id,
  newest.status AS status
FROM shapes_live.customers AS c
LEFT JOIN (
  SELECT
    o.id,
    o.customer_id,
    o.status
  FROM shapes_live.orders AS o
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY o.customer_id ORDER BY o.created_at DESC, o.id DESC) = 1
) AS newest
  ON newest.customer_id = c.id
