-- Q5: what was sold in a year within each nation of a region.
{{ config(unique_key='n_name') }}
SELECT
  n.n_name,
  SUM(l.l_extendedprice * (1 - l.l_discount)) AS revenue
FROM {{ source('tpch', 'customer') }} AS c
INNER JOIN {{ source('tpch', 'orders') }} AS o
  ON o.o_custkey = c.c_custkey
INNER JOIN {{ source('tpch', 'lineitem') }} AS l
  ON l.l_orderkey = o.o_orderkey
INNER JOIN {{ source('tpch', 'supplier') }} AS s
  ON s.s_suppkey = l.l_suppkey
  AND s.s_nationkey = c.c_nationkey
INNER JOIN {{ source('tpch', 'nation') }} AS n
  ON n.n_nationkey = s.s_nationkey
INNER JOIN {{ source('tpch', 'region') }} AS r
  ON r.r_regionkey = n.n_regionkey
WHERE
  r.r_name = 'ASIA'
  AND o.o_orderdate >= DATE '1994-01-01'
  AND o.o_orderdate < DATEADD(YEAR, 1, DATE '1994-01-01')
GROUP BY
  n.n_name
