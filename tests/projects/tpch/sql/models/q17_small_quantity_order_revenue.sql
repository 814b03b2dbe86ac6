-- Q17: what a year would lack without the small orders of some parts.
{{ config(unique_key='id') }}
SELECT
  1 AS id,
  CAST(ROUND(SUM(l.l_extendedprice) / 7.0, 2) AS NUMERIC(38, 2)) AS avg_yearly
FROM {{ source('tpch', 'lineitem') }} AS l
INNER JOIN {{ source('tpch', 'part') }} AS p
  ON p.p_partkey = l.l_partkey
WHERE
  p.p_brand = 'Brand#23'
  AND p.p_container = 'MED BOX'
  AND l.l_quantity < (
    SELECT
      0.2 * AVG(other.l_quantity)
    FROM {{ source('tpch', 'lineitem') }} AS other
    WHERE
      other.l_partkey = p.p_partkey
  )
