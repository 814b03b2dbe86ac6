-- The SELECT of either on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A tie by OR, and a join written with WHERE. */
SELECT
  CAST(c.id AS VARCHAR(20)) || '_' || CAST(r.id AS VARCHAR(20)) AS pair,
  c.id AS customer_id,
  r.name AS name,
  o.amount AS amount
FROM shapes_live.customers AS c
INNER JOIN shapes_live.regions AS r
  ON c.region_id = r.id OR c.region_id = r.parent_id
LEFT JOIN (
  SELECT
    o.customer_id,
    MAX(o.amount) AS amount
  FROM shapes_live.orders AS o, shapes_live.customers AS buyer
  WHERE
    o.customer_id = buyer.id AND buyer.status = 1
  GROUP BY
    o.customer_id
) AS o
  ON o.customer_id = c.id
