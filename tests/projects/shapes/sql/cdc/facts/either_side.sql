-- The SELECT of either_side on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A FULL JOIN of groups, entered by the key that both sides may have, and what is joined to it. */
WITH spent AS (
  SELECT
    o.customer_id,
    SUM(o.amount) AS amount
  FROM shapes_live.orders AS o
  WHERE
    o.status = 1
  GROUP BY
    o.customer_id
), named AS (
  SELECT
    c.id,
    c.name,
    c.region_id
  FROM shapes_live.customers AS c
  WHERE
    c.status = 1
)
SELECT
  COALESCE(s.customer_id, n.id) AS customer_id,
  n.name AS name,
  s.amount AS amount,
  r.name AS region
FROM spent AS s
FULL JOIN named AS n
  ON n.id = s.customer_id
LEFT JOIN shapes_live.regions AS r
  ON r.id = COALESCE(n.region_id, s.customer_id)
WHERE
  NOT COALESCE(s.customer_id, n.id) IS NULL
