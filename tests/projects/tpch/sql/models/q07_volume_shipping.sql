-- Q7: what two nations shipped to one another, by year.
{{ config(unique_key=['supp_nation', 'cust_nation', 'l_year']) }}
SELECT
  shipping.supp_nation,
  shipping.cust_nation,
  shipping.l_year,
  SUM(shipping.volume) AS revenue
FROM (
  SELECT
    n1.n_name AS supp_nation,
    n2.n_name AS cust_nation,
    CAST(EXTRACT(YEAR FROM l.l_shipdate) AS INTEGER) AS l_year,
    l.l_extendedprice * (1 - l.l_discount) AS volume
  FROM {{ source('tpch', 'supplier') }} AS s
  INNER JOIN {{ source('tpch', 'lineitem') }} AS l
    ON l.l_suppkey = s.s_suppkey
  INNER JOIN {{ source('tpch', 'orders') }} AS o
    ON o.o_orderkey = l.l_orderkey
  INNER JOIN {{ source('tpch', 'customer') }} AS c
    ON c.c_custkey = o.o_custkey
  INNER JOIN {{ source('tpch', 'nation') }} AS n1
    ON n1.n_nationkey = s.s_nationkey
  INNER JOIN {{ source('tpch', 'nation') }} AS n2
    ON n2.n_nationkey = c.c_nationkey
  WHERE
    (
      (
        n1.n_name = 'FRANCE' AND n2.n_name = 'GERMANY'
      )
      OR (
        n1.n_name = 'GERMANY' AND n2.n_name = 'FRANCE'
      )
    )
    AND l.l_shipdate BETWEEN DATE '1995-01-01' AND DATE '1996-12-31'
) AS shipping
GROUP BY
  shipping.supp_nation,
  shipping.cust_nation,
  shipping.l_year
