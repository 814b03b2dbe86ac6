-- Q11: the parts that make up much of the worth of a nation's stock.
{{ config(unique_key='ps_partkey') }}
SELECT
  ps.ps_partkey,
  SUM(ps.ps_supplycost * ps.ps_availqty) AS value
FROM {{ source('tpch', 'partsupp') }} AS ps
INNER JOIN {{ source('tpch', 'supplier') }} AS s
  ON s.s_suppkey = ps.ps_suppkey
INNER JOIN {{ source('tpch', 'nation') }} AS n
  ON n.n_nationkey = s.s_nationkey
WHERE
  n.n_name = 'GERMANY'
GROUP BY
  ps.ps_partkey
HAVING
  SUM(ps.ps_supplycost * ps.ps_availqty) > (
    SELECT
      SUM(stock.ps_supplycost * stock.ps_availqty) * 0.0001
    FROM {{ source('tpch', 'partsupp') }} AS stock
    INNER JOIN {{ source('tpch', 'supplier') }} AS holder
      ON holder.s_suppkey = stock.ps_suppkey
    INNER JOIN {{ source('tpch', 'nation') }} AS home
      ON home.n_nationkey = holder.s_nationkey
    WHERE
      home.n_name = 'GERMANY'
  )
