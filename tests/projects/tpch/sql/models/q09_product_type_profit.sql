-- Q9: what a line of parts has earned, by the supplier's nation and by year.
{{ config(unique_key=['nation', 'o_year']) }}
SELECT
  profit.nation,
  profit.o_year,
  SUM(profit.amount) AS sum_profit
FROM (
  SELECT
    n.n_name AS nation,
    CAST(EXTRACT(YEAR FROM o.o_orderdate) AS INTEGER) AS o_year,
    l.l_extendedprice * (1 - l.l_discount) - ps.ps_supplycost * l.l_quantity AS amount
  FROM {{ source('tpch', 'part') }} AS p
  INNER JOIN {{ source('tpch', 'lineitem') }} AS l
    ON l.l_partkey = p.p_partkey
  INNER JOIN {{ source('tpch', 'supplier') }} AS s
    ON s.s_suppkey = l.l_suppkey
  INNER JOIN {{ source('tpch', 'partsupp') }} AS ps
    ON ps.ps_suppkey = l.l_suppkey
    AND ps.ps_partkey = l.l_partkey
  INNER JOIN {{ source('tpch', 'orders') }} AS o
    ON o.o_orderkey = l.l_orderkey
  INNER JOIN {{ source('tpch', 'nation') }} AS n
    ON n.n_nationkey = s.s_nationkey
  WHERE
    p.p_name LIKE '%green%'
) AS profit
GROUP BY
  profit.nation,
  profit.o_year
