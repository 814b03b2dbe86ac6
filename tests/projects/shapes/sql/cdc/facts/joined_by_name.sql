-- The SELECT of joined_by_name on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Joined by a string, whose trailing blanks do not count. */
SELECT
  CAST(c.id AS VARCHAR(20)) || '/' || COALESCE(CAST(r.id AS VARCHAR(20)), '') AS pair,
  c.id AS customer_id,
  c.name AS name,
  r.name AS region_name
FROM shapes_live.customers AS c
LEFT JOIN shapes_live.regions AS r
  ON r.name = c.name
