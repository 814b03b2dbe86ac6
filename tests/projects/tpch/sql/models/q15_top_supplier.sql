-- Q15: who supplied most in a quarter.
{{ config(unique_key='s_suppkey') }}
WITH revenue AS (
  SELECT
    l.l_suppkey AS supplier_no,
    SUM(l.l_extendedprice * (1 - l.l_discount)) AS total_revenue
  FROM {{ source('tpch', 'lineitem') }} AS l
  WHERE
    l.l_shipdate >= DATE '1996-01-01'
    AND l.l_shipdate < DATEADD(MONTH, 3, DATE '1996-01-01')
  GROUP BY
    l.l_suppkey
)
SELECT
  s.s_suppkey,
  s.s_name,
  s.s_address,
  s.s_phone,
  revenue.total_revenue
FROM {{ source('tpch', 'supplier') }} AS s
INNER JOIN revenue
  ON revenue.supplier_no = s.s_suppkey
WHERE
  revenue.total_revenue = (
    SELECT
      MAX(revenue.total_revenue)
    FROM revenue
  )
