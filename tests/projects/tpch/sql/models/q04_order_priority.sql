-- Q4: how many orders of a quarter had a line that came late, by priority.
{{ config(unique_key='o_orderpriority') }}
SELECT
  o.o_orderpriority,
  COUNT(*) AS order_count
FROM {{ source('tpch', 'orders') }} AS o
WHERE
  o.o_orderdate >= DATE '1993-07-01'
  AND o.o_orderdate < DATEADD(MONTH, 3, DATE '1993-07-01')
  AND EXISTS (
    SELECT
      1
    FROM {{ source('tpch', 'lineitem') }} AS l
    WHERE
      l.l_orderkey = o.o_orderkey
      AND l.l_commitdate < l.l_receiptdate
  )
GROUP BY
  o.o_orderpriority
