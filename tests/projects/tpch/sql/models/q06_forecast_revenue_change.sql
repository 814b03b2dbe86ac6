-- Q6: what more a year would have brought without its small discounts.
{{ config(unique_key='id') }}
SELECT
  1 AS id,
  SUM(l.l_extendedprice * l.l_discount) AS revenue
FROM {{ source('tpch', 'lineitem') }} AS l
WHERE
  l.l_shipdate >= DATE '1994-01-01'
  AND l.l_shipdate < DATEADD(YEAR, 1, DATE '1994-01-01')
  AND l.l_discount BETWEEN 0.05 AND 0.07
  AND l.l_quantity < 24
