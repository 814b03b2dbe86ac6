-- The SELECT of q01_pricing_summary on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Q1: what was billed, shipped and returned, by flag and status of the line. */
SELECT
  l.l_returnflag,
  l.l_linestatus,
  SUM(l.l_quantity) AS sum_qty,
  SUM(l.l_extendedprice) AS sum_base_price,
  SUM(l.l_extendedprice * (
    1 - l.l_discount
  )) AS sum_disc_price,
  SUM(l.l_extendedprice * (
    1 - l.l_discount
  ) * (
    1 + l.l_tax
  )) AS sum_charge,
  CAST(ROUND(AVG(l.l_quantity), 2) AS DECIMAL(18, 2)) AS avg_qty,
  CAST(ROUND(AVG(l.l_extendedprice), 2) AS DECIMAL(18, 2)) AS avg_price,
  CAST(ROUND(AVG(l.l_discount), 2) AS DECIMAL(18, 2)) AS avg_disc,
  COUNT(*) AS count_order
FROM tpch_live.lineitem AS l
WHERE
  l.l_shipdate <= DATEADD(DAY, -90, CAST('1998-12-01' AS DATE))
GROUP BY
  l.l_returnflag,
  l.l_linestatus
