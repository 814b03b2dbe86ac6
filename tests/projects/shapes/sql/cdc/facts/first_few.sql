-- The SELECT of first_few on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* LIMIT: the customers with the largest orders; who comes next is not known before the fact is computed as a whole. */
SELECT
  o.customer_id,
  c.name,
  CAST(SUM(o.amount) AS DECIMAL(18, 2)) AS amount,
  COUNT(*) AS order_count
FROM shapes_live.orders AS o
LEFT JOIN shapes_live.customers AS c
  ON c.id = o.customer_id
WHERE
  NOT o.customer_id IS NULL
GROUP BY
  o.customer_id,
  c.name
ORDER BY
  amount DESC
LIMIT 3
