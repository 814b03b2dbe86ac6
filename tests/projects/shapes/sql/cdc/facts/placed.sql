-- The SELECT of placed on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A row key of several columns, one of them a rank: rows exchange their keys when another column changes. */
SELECT
  o.customer_id AS customer_id,
  ROW_NUMBER() OVER (PARTITION BY o.customer_id ORDER BY o.amount, o.id) AS place,
  o.region_ids AS region_ids,
  c.name AS name
FROM shapes_live.orders AS o
INNER JOIN shapes_live.customers AS c
  ON c.id = o.customer_id
