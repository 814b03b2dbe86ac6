-- The SELECT of q03_shipping_priority on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Q3: what is at stake in the orders of one segment that were not shipped by a day. */
SELECT
  l.l_orderkey,
  CAST(SUM(l.l_extendedprice * (
    1 - l.l_discount
  )) AS DECIMAL(38, 4)) AS revenue,
  o.o_orderdate,
  o.o_shippriority
FROM tpch_live.customer AS c
INNER JOIN tpch_live.orders AS o
  ON o.o_custkey = c.c_custkey
INNER JOIN tpch_live.lineitem AS l
  ON l.l_orderkey = o.o_orderkey
WHERE
  c.c_mktsegment = 'BUILDING'
  AND o.o_orderdate < CAST('1995-03-15' AS DATE)
  AND l.l_shipdate > CAST('1995-03-15' AS DATE)
GROUP BY
  l.l_orderkey,
  o.o_orderdate,
  o.o_shippriority
ORDER BY
  revenue DESC,
  o.o_orderdate
LIMIT 10
