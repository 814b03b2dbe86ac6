-- Q22: who has money and no orders, by the country code of the telephone.
{{ config(unique_key='cntrycode') }}
SELECT
  custsale.cntrycode,
  COUNT(*) AS numcust,
  SUM(custsale.c_acctbal) AS totacctbal
FROM (
  SELECT
    CAST(SUBSTRING(c.c_phone, 1, 2) AS VARCHAR(2)) AS cntrycode,
    c.c_acctbal
  FROM {{ source('tpch', 'customer') }} AS c
  WHERE
    SUBSTRING(c.c_phone, 1, 2) IN ('13', '31', '23', '29', '30', '18', '17')
    AND c.c_acctbal > (
      SELECT
        AVG(every.c_acctbal)
      FROM {{ source('tpch', 'customer') }} AS every
      WHERE
        every.c_acctbal > 0.00
        AND SUBSTRING(every.c_phone, 1, 2) IN ('13', '31', '23', '29', '30', '18', '17')
    )
    AND NOT EXISTS (
      SELECT
        1
      FROM {{ source('tpch', 'orders') }} AS o
      WHERE
        o.o_custkey = c.c_custkey
    )
) AS custsale
GROUP BY
  custsale.cntrycode
