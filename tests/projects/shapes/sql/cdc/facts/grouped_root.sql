-- The SELECT of grouped_root on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* GROUP BY and HAVING at the top; the anchor can be NULL. */
SELECT
  COALESCE(CAST(c.region_id AS VARCHAR(20)), 'none') AS region_key,
  c.region_id AS region_id,
  COUNT(*) AS customers,
  MIN(r.name) AS name
FROM shapes_live.customers AS c
LEFT JOIN shapes_live.regions AS r
  ON c.region_id = r.id
WHERE
  c.status = 1
GROUP BY
  c.region_id
HAVING
  COUNT(*) > 1
