-- Q3: what is at stake in the orders of one segment that were not shipped by a day.
{{ config(unique_key='l_orderkey') }}
SELECT
  l.l_orderkey,
  CAST(SUM(l.l_extendedprice * (1 - l.l_discount)) AS NUMERIC(38, 4)) AS revenue,
  o.o_orderdate,
  o.o_shippriority
FROM {{ source('tpch', 'customer') }} AS c
INNER JOIN {{ source('tpch', 'orders') }} AS o
  ON o.o_custkey = c.c_custkey
INNER JOIN {{ source('tpch', 'lineitem') }} AS l
  ON l.l_orderkey = o.o_orderkey
WHERE
  c.c_mktsegment = 'BUILDING'
  AND o.o_orderdate < DATE '1995-03-15'
  AND l.l_shipdate > DATE '1995-03-15'
GROUP BY
  l.l_orderkey,
  o.o_orderdate,
  o.o_shippriority
ORDER BY
  revenue DESC,
  o.o_orderdate
LIMIT 10
