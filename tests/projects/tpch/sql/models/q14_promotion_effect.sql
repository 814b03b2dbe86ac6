-- Q14: which share of a month's revenue came from promoted parts, in percent.
{{ config(unique_key='id') }}
SELECT
  1 AS id,
  CAST(
    ROUND(
      100.00 * SUM(CASE WHEN p.p_type LIKE 'PROMO%' THEN l.l_extendedprice * (1 - l.l_discount) ELSE 0 END)
      / SUM(l.l_extendedprice * (1 - l.l_discount)), 4
    ) AS NUMERIC(18, 4)
  ) AS promo_revenue
FROM {{ source('tpch', 'lineitem') }} AS l
INNER JOIN {{ source('tpch', 'part') }} AS p
  ON p.p_partkey = l.l_partkey
WHERE
  l.l_shipdate >= DATE '1995-09-01'
  AND l.l_shipdate < DATEADD(MONTH, 1, DATE '1995-09-01')
