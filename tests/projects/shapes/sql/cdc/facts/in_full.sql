-- The SELECT of in_full on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A shape that can not be maintained, rebuilt in full where a column that it reads has changed; LIMIT leaves ties open. */
SELECT
  o.id AS order_id,
  o.amount AS amount,
  (
    SELECT
      COUNT(*)
    FROM shapes_live.customers AS c
  ) AS customer_count
FROM shapes_live.orders AS o
ORDER BY
  o.created_at DESC
LIMIT 3
