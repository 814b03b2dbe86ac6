-- The SELECT of q15_top_supplier on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Q15: who supplied most in a quarter. */
WITH revenue AS (
  SELECT
    l.l_suppkey AS supplier_no,
    SUM(l.l_extendedprice * (
      1 - l.l_discount
    )) AS total_revenue
  FROM tpch_live.lineitem AS l
  WHERE
    l.l_shipdate >= CAST('1996-01-01' AS DATE)
    AND l.l_shipdate < DATEADD(MONTH, 3, CAST('1996-01-01' AS DATE))
  GROUP BY
    l.l_suppkey
)
SELECT
  s.s_suppkey,
  s.s_name,
  s.s_address,
  s.s_phone,
  revenue.total_revenue
FROM tpch_live.supplier AS s
INNER JOIN revenue
  ON revenue.supplier_no = s.s_suppkey
WHERE
  revenue.total_revenue = (
    SELECT
      MAX(revenue.total_revenue)
    FROM revenue
  )
