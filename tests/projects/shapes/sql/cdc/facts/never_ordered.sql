-- The SELECT of never_ordered on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* EXCEPT and INTERSECT, entered by a column of all that they are made of. */
SELECT
  CAST(u.customer_id AS VARCHAR(20)) || '_' || COALESCE(CAST(u.status AS VARCHAR(20)), 'none') AS pair,
  u.customer_id AS customer_id,
  u.status AS status
FROM (
  SELECT
    c.id AS customer_id,
    c.status
  FROM shapes_live.customers AS c
  EXCEPT
  (
    SELECT
      o.customer_id,
      o.status
    FROM shapes_live.orders AS o
    INTERSECT
    SELECT
      c.referrer_id,
      c.status
    FROM shapes_live.customers AS c
  )
) AS u
