-- The SELECT of q12_shipping_modes on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Q12: how many urgent and other lines came late by two modes of shipping. */
SELECT
  l.l_shipmode,
  SUM(CASE WHEN o.o_orderpriority IN ('1-URGENT', '2-HIGH') THEN 1 ELSE 0 END) AS high_line_count,
  SUM(CASE WHEN NOT o.o_orderpriority IN ('1-URGENT', '2-HIGH') THEN 1 ELSE 0 END) AS low_line_count
FROM tpch_live.orders AS o
INNER JOIN tpch_live.lineitem AS l
  ON l.l_orderkey = o.o_orderkey
WHERE
  l.l_shipmode IN ('MAIL', 'SHIP')
  AND l.l_commitdate < l.l_receiptdate
  AND l.l_shipdate < l.l_commitdate
  AND l.l_receiptdate >= CAST('1994-01-01' AS DATE)
  AND l.l_receiptdate < DATEADD(YEAR, 1, CAST('1994-01-01' AS DATE))
GROUP BY
  l.l_shipmode
