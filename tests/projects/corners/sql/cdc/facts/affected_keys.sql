-- The SELECT of affected_keys on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Groups of which one has NULL as its key. */
SELECT
  COALESCE(CAST(baseline.group_id AS VARCHAR(20)), 'none') AS label,
  baseline.group_id AS anchor,
  COUNT(*) AS row_count,
  CAST(SUM(baseline.amount) AS DECIMAL(18, 2)) AS amount,
  COUNT(DISTINCT changed.language) AS languages
FROM corners_live.baseline AS baseline
LEFT JOIN corners_live.changed AS changed
  ON changed.anchor = baseline.id
GROUP BY
  baseline.group_id
