-- Groups of what can be added up, in a step before the last: a source in two roles, and one row of it in several groups.
{{ config(unique_key='region_id', meta={'cdc': {'anchor': 'region_id'}}) }}
WITH sold AS (
  SELECT
    o.id,
    o.amount,
    referrer.region_id,
    c.status
  FROM {{ source('live', 'orders') }} AS o
  INNER JOIN {{ source('live', 'customers') }} AS c
    ON c.id = o.customer_id OR c.id = o.status
  INNER JOIN {{ source('live', 'customers') }} AS referrer
    ON referrer.id = c.referrer_id
  WHERE
    EXISTS (SELECT 1 FROM {{ source('live', 'regions') }} AS r WHERE r.parent_id = referrer.region_id)
), totals AS (
  SELECT
    COALESCE(sold.region_id, 0) AS region_id,
    COUNT(*) AS order_count,
    COUNT(sold.status) AS statuses,
    SUM(sold.status) AS status,
    CAST(SUM(sold.amount * 2) AS NUMERIC(18, 4)) AS amount
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
