-- The SELECT of totals_by_name on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Groups of what can be added up, by a string that can be NULL: which of two that differ in trailing blanks a name shows is */
/* left open, and so the row key has none of them. */
SELECT
  COALESCE(RTRIM(c.name), 'none') || '/' || COALESCE(CAST(o.status AS VARCHAR(20)), 'none') AS place,
  c.name AS name,
  COUNT(*) AS order_count,
  COUNT(o.amount) AS amounts,
  SUM(o.amount) AS amount,
  SUM(CASE WHEN r.status = 1 THEN o.amount ELSE 0 END) AS active_amount,
  SUM(o.amount * (
    1 - o.status
  )) / COUNT(o.amount) AS mean,
  AVG(r.parent_id) AS mean_region
FROM shapes_live.orders AS o
INNER JOIN shapes_live.customers AS c
  ON c.id = o.customer_id
LEFT JOIN shapes_live.regions AS r
  ON r.id = c.region_id
WHERE
  o.amount IS NULL OR o.amount < 2 OR c.status = 1
GROUP BY
  c.name,
  o.status
