-- The SELECT of by_zero on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A tie that tells 0 from -0, and both from a weight that is none. */
SELECT
  baseline.id AS run_key,
  COUNT(changed.id) AS found
FROM corners_live.baseline AS baseline
LEFT JOIN corners_live.changed AS changed
  ON CAST(changed."encrypt" AS VARCHAR(32)) = CAST(baseline.weight AS VARCHAR(32))
GROUP BY
  baseline.id
