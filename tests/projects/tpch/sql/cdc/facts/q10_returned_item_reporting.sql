-- The SELECT of q10_returned_item_reporting on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Q10: what each customer sent back of a quarter's orders. */
SELECT
  c.c_custkey,
  c.c_name,
  CAST(SUM(l.l_extendedprice * (
    1 - l.l_discount
  )) AS DECIMAL(38, 4)) AS revenue,
  c.c_acctbal,
  n.n_name,
  c.c_address,
  c.c_phone,
  c.c_comment
FROM tpch_live.customer AS c
INNER JOIN tpch_live.orders AS o
  ON o.o_custkey = c.c_custkey
INNER JOIN tpch_live.lineitem AS l
  ON l.l_orderkey = o.o_orderkey
INNER JOIN tpch_live.nation AS n
  ON n.n_nationkey = c.c_nationkey
WHERE
  o.o_orderdate >= CAST('1993-10-01' AS DATE)
  AND o.o_orderdate < DATEADD(MONTH, 3, CAST('1993-10-01' AS DATE))
  AND l.l_returnflag = 'R'
GROUP BY
  c.c_custkey,
  c.c_name,
  c.c_acctbal,
  c.c_phone,
  n.n_name,
  c.c_address,
  c.c_comment
ORDER BY
  revenue DESC
LIMIT 20
