-- The SELECT of q16_parts_supplier_relationship on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Q16: how many suppliers without complaints a kind of parts has. */
SELECT
  p.p_brand,
  p.p_type,
  p.p_size,
  COUNT(DISTINCT ps.ps_suppkey) AS supplier_cnt
FROM tpch_live.partsupp AS ps
INNER JOIN tpch_live.part AS p
  ON p.p_partkey = ps.ps_partkey
WHERE
  p.p_brand <> 'Brand#45'
  AND NOT p.p_type LIKE 'MEDIUM POLISHED%'
  AND p.p_size IN (49, 14, 23, 45, 19, 3, 36, 9)
  AND NOT EXISTS(
    SELECT
      1
    FROM tpch_live.supplier AS s
    WHERE
      s.s_suppkey = ps.ps_suppkey AND s.s_comment LIKE '%Customer%Complaints%'
  )
GROUP BY
  p.p_brand,
  p.p_type,
  p.p_size
