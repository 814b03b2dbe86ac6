-- The SELECT of q14_promotion_effect on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Q14: which share of a month's revenue came from promoted parts, in percent. */
SELECT
  1 AS id,
  CAST(ROUND(
    100.00 * SUM(
      CASE
        WHEN p.p_type LIKE 'PROMO%'
        THEN l.l_extendedprice * (
          1 - l.l_discount
        )
        ELSE 0
      END
    ) / SUM(l.l_extendedprice * (
      1 - l.l_discount
    )),
    4
  ) AS DECIMAL(18, 4)) AS promo_revenue
FROM tpch_live.lineitem AS l
INNER JOIN tpch_live.part AS p
  ON p.p_partkey = l.l_partkey
WHERE
  l.l_shipdate >= CAST('1995-09-01' AS DATE)
  AND l.l_shipdate < DATEADD(MONTH, 1, CAST('1995-09-01' AS DATE))
