-- The SELECT of combined on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* UNION ALL at the top: each branch has its own way to the anchor, and one has no referrer. */
WITH events AS (
  SELECT
    'order ' || CAST(o.id AS VARCHAR(20)) AS event,
    o.customer_id AS customer_id,
    o.amount AS amount,
    c.referrer_id AS referrer_id
  FROM shapes_live.orders AS o
  LEFT JOIN shapes_live.customers AS c
    ON o.customer_id = c.id
  UNION ALL
  SELECT
    'customer ' || CAST(c.id AS VARCHAR(20)) AS event,
    c.id AS customer_id,
    0 AS amount,
    CAST(NULL AS BIGINT) AS referrer_id
  FROM shapes_live.customers AS c
  WHERE
    c.status = 1
)
SELECT
  events.event,
  events.customer_id,
  events.amount,
  referrer.name AS referrer_name,
  regions.name AS region_name
FROM events
LEFT JOIN shapes_live.customers AS referrer
  ON referrer.id = events.referrer_id
LEFT JOIN shapes_live.regions AS regions
  ON regions.id = referrer.region_id
UNION ALL
SELECT
  'region ' || CAST(r.id AS VARCHAR(20)) AS event,
  r.parent_id AS customer_id,
  COUNT(o.id) AS amount,
  r.name AS referrer_name,
  CAST(NULL AS VARCHAR(32)) AS region_name
FROM shapes_live.regions AS r
LEFT JOIN shapes_live.orders AS o
  ON o.customer_id = r.parent_id
GROUP BY
  r.id,
  r.parent_id,
  r.name
