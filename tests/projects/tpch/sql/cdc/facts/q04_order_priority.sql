-- The SELECT of q04_order_priority on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Q4: how many orders of a quarter had a line that came late, by priority. */
SELECT
  o.o_orderpriority,
  COUNT(*) AS order_count
FROM tpch_live.orders AS o
WHERE
  o.o_orderdate >= CAST('1993-07-01' AS DATE)
  AND o.o_orderdate < DATEADD(MONTH, 3, CAST('1993-07-01' AS DATE))
  AND EXISTS(
    SELECT
      1
    FROM tpch_live.lineitem AS l
    WHERE
      l.l_orderkey = o.o_orderkey AND l.l_commitdate < l.l_receiptdate
  )
GROUP BY
  o.o_orderpriority
