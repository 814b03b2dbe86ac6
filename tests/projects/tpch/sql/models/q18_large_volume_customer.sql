-- Q18: the orders of large quantities, and who placed them.
{{ config(unique_key='o_orderkey') }}
SELECT
  c.c_name,
  c.c_custkey,
  o.o_orderkey,
  o.o_orderdate,
  o.o_totalprice,
  SUM(l.l_quantity) AS sum_qty
FROM {{ source('tpch', 'customer') }} AS c
INNER JOIN {{ source('tpch', 'orders') }} AS o
  ON o.o_custkey = c.c_custkey
INNER JOIN {{ source('tpch', 'lineitem') }} AS l
  ON l.l_orderkey = o.o_orderkey
WHERE
  o.o_orderkey IN (
    SELECT
      large.l_orderkey
    FROM {{ source('tpch', 'lineitem') }} AS large
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
