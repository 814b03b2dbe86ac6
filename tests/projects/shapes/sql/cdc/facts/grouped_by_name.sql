-- The SELECT of grouped_by_name on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Grouped by a string: which of two names that differ in trailing blanks it shows is left open. */
SELECT
  c.name AS name,
  MAX(r.name) AS last_region,
  COUNT(*) AS customers
FROM shapes_live.customers AS c
LEFT JOIN shapes_live.regions AS r
  ON r.parent_id = c.region_id
WHERE
  NOT c.name IS NULL
GROUP BY
  c.name
