-- The SELECT of q06_forecast_revenue_change on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Q6: what more a year would have brought without its small discounts. */
SELECT
  1 AS id,
  SUM(l.l_extendedprice * l.l_discount) AS revenue
FROM tpch_live.lineitem AS l
WHERE
  l.l_shipdate >= CAST('1994-01-01' AS DATE)
  AND l.l_shipdate < DATEADD(YEAR, 1, CAST('1994-01-01' AS DATE))
  AND l.l_discount BETWEEN 0.05 AND 0.07
  AND l.l_quantity < 24
