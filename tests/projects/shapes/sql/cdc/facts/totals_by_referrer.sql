-- The SELECT of totals_by_referrer on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Groups of what can be added up, in a step before the last: a source in two roles, and one row of it in several groups. */
WITH sold AS (
  SELECT
    o.id,
    o.amount,
    referrer.region_id,
    c.status
  FROM shapes_live.orders AS o
  INNER JOIN shapes_live.customers AS c
    ON c.id = o.customer_id OR c.id = o.status
  INNER JOIN shapes_live.customers AS referrer
    ON referrer.id = c.referrer_id
  WHERE
    EXISTS(
      SELECT
        1
      FROM shapes_live.regions AS r
      WHERE
        r.parent_id = referrer.region_id
    )
), totals AS (
  SELECT
    COALESCE(sold.region_id, 0) AS region_id,
    COUNT(*) AS order_count,
    COUNT(sold.status) AS statuses,
    SUM(sold.status) AS status,
    CAST(SUM(sold.amount * 2) AS DECIMAL(18, 4)) AS amount
  FROM sold
  GROUP BY
    COALESCE(sold.region_id, 0)
)
SELECT
  totals.region_id,
  totals.order_count,
  totals.statuses,
  totals.status,
  totals.amount
FROM totals
