-- The SELECT of list_entered on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A predicate that is no equality, entered from its list: to LIKE, blanks behind a list are part of it. */
SELECT
  r.id AS region_id,
  COUNT(o.id) AS order_count
FROM shapes_live.regions AS r
LEFT JOIN shapes_live.orders AS o
  ON ',' || o.region_ids || ',' LIKE '%,' || CAST(r.id AS VARCHAR(20)) || ',%'
GROUP BY
  r.id
