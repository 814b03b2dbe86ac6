-- Q13: how many customers have placed how many orders, special requests aside.
{{ config(unique_key='c_count') }}
SELECT
  placed.c_count,
  COUNT(*) AS custdist
FROM (
  SELECT
    c.c_custkey,
    COUNT(o.o_orderkey) AS c_count
  FROM {{ source('tpch', 'customer') }} AS c
  LEFT JOIN {{ source('tpch', 'orders') }} AS o
    ON o.o_custkey = c.c_custkey
    AND NOT o.o_comment LIKE '%special%requests%'
  GROUP BY
    c.c_custkey
) AS placed
GROUP BY
  placed.c_count
