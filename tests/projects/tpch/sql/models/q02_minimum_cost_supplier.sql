-- Q2: who supplies a part of some size and type for the least, in one region.
{{ config(unique_key=['p_partkey', 's_suppkey'], meta={'cdc': {'anchor': 'p_partkey'}}) }}
SELECT
  s.s_acctbal,
  s.s_name,
  n.n_name,
  p.p_partkey,
  s.s_suppkey,
  p.p_mfgr,
  s.s_address,
  s.s_phone,
  s.s_comment
FROM {{ source('tpch', 'part') }} AS p
INNER JOIN {{ source('tpch', 'partsupp') }} AS ps
  ON ps.ps_partkey = p.p_partkey
INNER JOIN {{ source('tpch', 'supplier') }} AS s
  ON s.s_suppkey = ps.ps_suppkey
INNER JOIN {{ source('tpch', 'nation') }} AS n
  ON n.n_nationkey = s.s_nationkey
INNER JOIN {{ source('tpch', 'region') }} AS r
  ON r.r_regionkey = n.n_regionkey
WHERE
  p.p_size = 15
  AND p.p_type LIKE '%BRASS'
  AND r.r_name = 'EUROPE'
  AND ps.ps_supplycost = (
    SELECT
      MIN(other.ps_supplycost)
    FROM {{ source('tpch', 'partsupp') }} AS other
    INNER JOIN {{ source('tpch', 'supplier') }} AS supplying
      ON supplying.s_suppkey = other.ps_suppkey
    INNER JOIN {{ source('tpch', 'nation') }} AS home
      ON home.n_nationkey = supplying.s_nationkey
    INNER JOIN {{ source('tpch', 'region') }} AS around
      ON around.r_regionkey = home.n_regionkey
    WHERE
      other.ps_partkey = p.p_partkey
      AND around.r_name = 'EUROPE'
  )
ORDER BY
  s.s_acctbal DESC,
  n.n_name,
  s.s_name,
  p.p_partkey
LIMIT 100
