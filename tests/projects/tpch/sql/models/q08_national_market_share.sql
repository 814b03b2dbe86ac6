-- Q8: which share of a region's trade in a type of parts one nation had, by year.
{{ config(unique_key='o_year') }}
SELECT
  all_nations.o_year,
  CAST(
    ROUND(
      SUM(CASE WHEN all_nations.nation = 'BRAZIL' THEN all_nations.volume ELSE 0 END) / SUM(all_nations.volume), 4
    ) AS NUMERIC(18, 4)
  ) AS mkt_share
FROM (
  SELECT
    CAST(EXTRACT(YEAR FROM o.o_orderdate) AS INTEGER) AS o_year,
    l.l_extendedprice * (1 - l.l_discount) AS volume,
    n2.n_name AS nation
  FROM {{ source('tpch', 'part') }} AS p
  INNER JOIN {{ source('tpch', 'lineitem') }} AS l
    ON l.l_partkey = p.p_partkey
  INNER JOIN {{ source('tpch', 'supplier') }} AS s
    ON s.s_suppkey = l.l_suppkey
  INNER JOIN {{ source('tpch', 'orders') }} AS o
    ON o.o_orderkey = l.l_orderkey
  INNER JOIN {{ source('tpch', 'customer') }} AS c
    ON c.c_custkey = o.o_custkey
  INNER JOIN {{ source('tpch', 'nation') }} AS n1
    ON n1.n_nationkey = c.c_nationkey
  INNER JOIN {{ source('tpch', 'region') }} AS r
    ON r.r_regionkey = n1.n_regionkey
  INNER JOIN {{ source('tpch', 'nation') }} AS n2
    ON n2.n_nationkey = s.s_nationkey
  WHERE
    r.r_name = 'AMERICA'
    AND o.o_orderdate BETWEEN DATE '1995-01-01' AND DATE '1996-12-31'
    AND p.p_type = 'ECONOMY ANODIZED STEEL'
) AS all_nations
GROUP BY
  all_nations.o_year
