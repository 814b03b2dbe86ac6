-- The SELECT of existing on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* EXISTS, NOT EXISTS and IN. */
SELECT
  c.id AS customer_id,
  c.name AS name
FROM shapes_live.customers AS c
WHERE
  EXISTS(
    SELECT
      1
    FROM shapes_live.orders AS o
    WHERE
      o.customer_id = c.id AND o.status = 1
  )
  AND NOT EXISTS(
    SELECT
      1
    FROM shapes_live.customers AS other
    WHERE
      other.referrer_id = c.id AND other.status = 0
  )
  AND c.region_id IN (
    SELECT
      r.id
    FROM shapes_live.regions AS r
    WHERE
      r.status = 1
  )
