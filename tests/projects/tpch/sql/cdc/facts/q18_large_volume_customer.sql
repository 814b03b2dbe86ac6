-- The SELECT of q18_large_volume_customer on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Q18: the orders of large quantities, and who placed them. */
SELECT
  c.c_name,
  c.c_custkey,
  o.o_orderkey,
  o.o_orderdate,
  o.o_totalprice,
  SUM(l.l_quantity) AS sum_qty
FROM tpch_live.customer AS c
INNER JOIN tpch_live.orders AS o
  ON o.o_custkey = c.c_custkey
INNER JOIN tpch_live.lineitem AS l
  ON l.l_orderkey = o.o_orderkey
WHERE
  o.o_orderkey IN (
    SELECT
      large.l_orderkey
    FROM tpch_live.lineitem AS large
    GROUP BY
      large.l_orderkey
    HAVING
      SUM(large.l_quantity) > 300
  )
GROUP BY
  c.c_name,
  c.c_custkey,
  o.o_orderkey,
  o.o_orderdate,
  o.o_totalprice
ORDER BY
  o.o_totalprice DESC,
  o.o_orderdate
LIMIT 100
