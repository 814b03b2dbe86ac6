-- The SELECT of several_roles on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A source in three roles, one of them a self join. */
SELECT
  o.id AS order_id,
  c.name AS customer_name,
  referrer.name AS referrer_name,
  grand.name AS grand_referrer_name
FROM shapes_live.orders AS o
LEFT JOIN shapes_live.customers AS c
  ON o.customer_id = c.id
LEFT JOIN shapes_live.customers AS referrer
  ON c.referrer_id = referrer.id
LEFT JOIN shapes_live.customers AS grand
  ON referrer.referrer_id = grand.id
