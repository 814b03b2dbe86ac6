-- Q10: what each customer sent back of a quarter's orders.
{{ config(unique_key='c_custkey') }}
SELECT
  c.c_custkey,
  c.c_name,
  CAST(SUM(l.l_extendedprice * (1 - l.l_discount)) AS NUMERIC(38, 4)) AS revenue,
  c.c_acctbal,
  n.n_name,
  c.c_address,
  c.c_phone,
  c.c_comment
FROM {{ source('tpch', 'customer') }} AS c
INNER JOIN {{ source('tpch', 'orders') }} AS o
  ON o.o_custkey = c.c_custkey
INNER JOIN {{ source('tpch', 'lineitem') }} AS l
  ON l.l_orderkey = o.o_orderkey
INNER JOIN {{ source('tpch', 'nation') }} AS n
  ON n.n_nationkey = c.c_nationkey
WHERE
  o.o_orderdate >= DATE '1993-10-01'
  AND o.o_orderdate < DATEADD(MONTH, 3, DATE '1993-10-01')
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
