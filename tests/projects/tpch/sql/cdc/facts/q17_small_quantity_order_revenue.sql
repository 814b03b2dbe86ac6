-- The SELECT of q17_small_quantity_order_revenue on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Q17: what a year would lack without the small orders of some parts. */
SELECT
  1 AS id,
  CAST(ROUND(SUM(l.l_extendedprice) / 7.0, 2) AS DECIMAL(38, 2)) AS avg_yearly
FROM tpch_live.lineitem AS l
INNER JOIN tpch_live.part AS p
  ON p.p_partkey = l.l_partkey
WHERE
  p.p_brand = 'Brand#23'
  AND p.p_container = 'MED BOX'
  AND l.l_quantity < (
    SELECT
      0.2 * AVG(other.l_quantity)
    FROM tpch_live.lineitem AS other
    WHERE
      other.l_partkey = p.p_partkey
  )
