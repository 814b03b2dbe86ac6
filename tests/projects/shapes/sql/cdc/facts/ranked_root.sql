-- The SELECT of ranked_root on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A window at the top; the anchor is its partition and changes with the row. */
SELECT
  o.customer_id AS customer_id,
  o.id AS order_id,
  RANK() OVER (PARTITION BY o.customer_id ORDER BY o.amount, o.id) AS place
FROM shapes_live.orders AS o
