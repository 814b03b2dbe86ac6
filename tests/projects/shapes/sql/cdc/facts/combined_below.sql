-- The SELECT of combined_below on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* UNION and UNION ALL below: grouped, joined to and searched by IN. */
WITH regions AS (
  SELECT
    c.id AS customer_id,
    c.region_id
  FROM shapes_live.customers AS c
  UNION
  SELECT
    o.customer_id,
    c.region_id
  FROM shapes_live.orders AS o
  INNER JOIN shapes_live.customers AS c
    ON c.referrer_id = o.customer_id
), counted AS (
  SELECT
    regions.customer_id,
    COUNT(*) AS region_count,
    COUNT(r.id) AS known_count
  FROM regions
  LEFT JOIN shapes_live.regions AS r
    ON r.id = regions.region_id AND r.status = 1
  GROUP BY
    regions.customer_id
)
SELECT
  c.id AS customer_id,
  counted.region_count,
  counted.known_count,
  (
    SELECT
      COUNT(*)
    FROM (
      SELECT
        o.customer_id AS buyer
      FROM shapes_live.orders AS o
      UNION ALL
      SELECT
        other.referrer_id
      FROM shapes_live.customers AS other
    ) AS links
    WHERE
      links.buyer = c.id
  ) AS link_count
FROM shapes_live.customers AS c
LEFT JOIN counted
  ON counted.customer_id = c.id
WHERE
  NOT c.referrer_id IS NULL
  OR c.id IN (
    SELECT
      o.customer_id
    FROM shapes_live.orders AS o
    WHERE
      o.status = 1
    UNION ALL
    SELECT
      r.parent_id
    FROM shapes_live.regions AS r
  )
