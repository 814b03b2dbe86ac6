-- The SELECT of q20_potential_part_promotion on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Q20: who has more of some parts in stock than half of what was shipped in a year. */
SELECT
  s.s_suppkey,
  s.s_name,
  s.s_address
FROM tpch_live.supplier AS s
INNER JOIN tpch_live.nation AS n
  ON n.n_nationkey = s.s_nationkey
WHERE
  n.n_name = 'CANADA'
  AND s.s_suppkey IN (
    SELECT
      ps.ps_suppkey
    FROM tpch_live.partsupp AS ps
    WHERE
      ps.ps_partkey IN (
        SELECT
          p.p_partkey
        FROM tpch_live.part AS p
        WHERE
          p.p_name LIKE 'forest%'
      )
      AND ps.ps_availqty > (
        SELECT
          0.5 * SUM(l.l_quantity)
        FROM tpch_live.lineitem AS l
        WHERE
          l.l_partkey = ps.ps_partkey
          AND l.l_suppkey = ps.ps_suppkey
          AND l.l_shipdate >= CAST('1994-01-01' AS DATE)
          AND l.l_shipdate < DATEADD(YEAR, 1, CAST('1994-01-01' AS DATE))
      )
  )
