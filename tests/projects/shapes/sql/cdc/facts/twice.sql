-- The SELECT of twice on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A CTE used twice, DISTINCT, and a chain of derived tables. */
WITH active AS (
  SELECT DISTINCT
    c.id,
    c.region_id,
    c.referrer_id
  FROM shapes_live.customers AS c
  WHERE
    c.status = 1
)
SELECT
  o.id AS order_id,
  buyer.region_id AS buyer_region,
  referrer.region_id AS referrer_region,
  regions.name AS region_name
FROM (
  SELECT
    orders.id,
    orders.customer_id
  FROM shapes_live.orders AS orders
  WHERE
    orders.status = 1
) AS o
INNER JOIN active AS buyer
  ON o.customer_id = buyer.id
LEFT JOIN active AS referrer
  ON buyer.referrer_id = referrer.id
LEFT JOIN (
  SELECT
    r.id,
    r.name
  FROM shapes_live.regions AS r
) AS regions
  ON regions.id = referrer.region_id
