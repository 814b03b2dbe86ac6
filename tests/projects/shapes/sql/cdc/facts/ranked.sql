-- The SELECT of ranked on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Window functions, entered by PARTITION BY; an order can change hands. */
SELECT
  c.id AS customer_id,
  o.order_id,
  o.place,
  o.running,
  c.name AS name
FROM shapes_live.customers AS c
INNER JOIN (
  SELECT
    o.id AS order_id,
    o.customer_id,
    ROW_NUMBER() OVER (PARTITION BY o.customer_id ORDER BY o.amount DESC, o.id) AS place,
    SUM(o.amount) OVER (
      PARTITION BY o.customer_id
      ORDER BY o.id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS running
  FROM shapes_live.orders AS o
) AS o
  ON o.customer_id = c.id
