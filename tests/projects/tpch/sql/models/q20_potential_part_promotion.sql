-- Q20: who has more of some parts in stock than half of what was shipped in a year.
{{ config(unique_key='s_suppkey') }}
SELECT
  s.s_suppkey,
  s.s_name,
  s.s_address
FROM {{ source('tpch', 'supplier') }} AS s
INNER JOIN {{ source('tpch', 'nation') }} AS n
  ON n.n_nationkey = s.s_nationkey
WHERE
  n.n_name = 'CANADA'
  AND s.s_suppkey IN (
    SELECT
      ps.ps_suppkey
    FROM {{ source('tpch', 'partsupp') }} AS ps
    WHERE
      ps.ps_partkey IN (
        SELECT
          p.p_partkey
        FROM {{ source('tpch', 'part') }} AS p
        WHERE
          p.p_name LIKE 'forest%'
      )
      AND ps.ps_availqty > (
        SELECT
          0.5 * SUM(l.l_quantity)
        FROM {{ source('tpch', 'lineitem') }} AS l
        WHERE
          l.l_partkey = ps.ps_partkey
          AND l.l_suppkey = ps.ps_suppkey
          AND l.l_shipdate >= DATE '1994-01-01'
          AND l.l_shipdate < DATEADD(YEAR, 1, DATE '1994-01-01')
      )
  )
