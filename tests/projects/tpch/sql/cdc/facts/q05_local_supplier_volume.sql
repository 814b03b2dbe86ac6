-- The SELECT of q05_local_supplier_volume on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Q5: what was sold in a year within each nation of a region. */
SELECT
  n.n_name,
  SUM(l.l_extendedprice * (
    1 - l.l_discount
  )) AS revenue
FROM tpch_live.customer AS c
INNER JOIN tpch_live.orders AS o
  ON o.o_custkey = c.c_custkey
INNER JOIN tpch_live.lineitem AS l
  ON l.l_orderkey = o.o_orderkey
INNER JOIN tpch_live.supplier AS s
  ON s.s_suppkey = l.l_suppkey AND s.s_nationkey = c.c_nationkey
INNER JOIN tpch_live.nation AS n
  ON n.n_nationkey = s.s_nationkey
INNER JOIN tpch_live.region AS r
  ON r.r_regionkey = n.n_regionkey
WHERE
  r.r_name = 'ASIA'
  AND o.o_orderdate >= CAST('1994-01-01' AS DATE)
  AND o.o_orderdate < DATEADD(YEAR, 1, CAST('1994-01-01' AS DATE))
GROUP BY
  n.n_name
