-- The SELECT of counted on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A correlated scalar subquery. */
SELECT
  c.id AS customer_id,
  (
    SELECT
      COUNT(*)
    FROM shapes_live.orders AS o
    WHERE
      o.customer_id = c.id
  ) AS order_count
FROM shapes_live.customers AS c
