-- Q16: how many suppliers without complaints a kind of parts has.
{{ config(unique_key=['p_brand', 'p_type', 'p_size']) }}
SELECT
  p.p_brand,
  p.p_type,
  p.p_size,
  COUNT(DISTINCT ps.ps_suppkey) AS supplier_cnt
FROM {{ source('tpch', 'partsupp') }} AS ps
INNER JOIN {{ source('tpch', 'part') }} AS p
  ON p.p_partkey = ps.ps_partkey
WHERE
  p.p_brand <> 'Brand#45'
  AND NOT p.p_type LIKE 'MEDIUM POLISHED%'
  AND p.p_size IN (49, 14, 23, 45, 19, 3, 36, 9)
  AND NOT EXISTS (
    SELECT
      1
    FROM {{ source('tpch', 'supplier') }} AS s
    WHERE
      s.s_suppkey = ps.ps_suppkey
      AND s.s_comment LIKE '%Customer%Complaints%'
  )
GROUP BY
  p.p_brand,
  p.p_type,
  p.p_size
