-- Q21: who alone was late in orders of several suppliers, and how often.
{{ config(unique_key='s_name') }}
SELECT
  s.s_name,
  COUNT(*) AS numwait
FROM {{ source('tpch', 'supplier') }} AS s
INNER JOIN {{ source('tpch', 'lineitem') }} AS l1
  ON l1.l_suppkey = s.s_suppkey
INNER JOIN {{ source('tpch', 'orders') }} AS o
  ON o.o_orderkey = l1.l_orderkey
INNER JOIN {{ source('tpch', 'nation') }} AS n
  ON n.n_nationkey = s.s_nationkey
WHERE
  o.o_orderstatus = 'F'
  AND l1.l_receiptdate > l1.l_commitdate
  AND n.n_name = 'SAUDI ARABIA'
  AND EXISTS (
    SELECT
      1
    FROM {{ source('tpch', 'lineitem') }} AS l2
    WHERE
      l2.l_orderkey = l1.l_orderkey
      AND l2.l_suppkey <> l1.l_suppkey
  )
  AND NOT EXISTS (
    SELECT
      1
    FROM {{ source('tpch', 'lineitem') }} AS l3
    WHERE
      l3.l_orderkey = l1.l_orderkey
      AND l3.l_suppkey <> l1.l_suppkey
      AND l3.l_receiptdate > l3.l_commitdate
  )
GROUP BY
  s.s_name
ORDER BY
  numwait DESC,
  s.s_name
LIMIT 100
