-- The SELECT of q13_customer_distribution on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Q13: how many customers have placed how many orders, special requests aside. */
SELECT
  placed.c_count,
  COUNT(*) AS custdist
FROM (
  SELECT
    c.c_custkey,
    COUNT(o.o_orderkey) AS c_count
  FROM tpch_live.customer AS c
  LEFT JOIN tpch_live.orders AS o
    ON o.o_custkey = c.c_custkey AND NOT o.o_comment LIKE '%special%requests%'
  GROUP BY
    c.c_custkey
) AS placed
GROUP BY
  placed.c_count
