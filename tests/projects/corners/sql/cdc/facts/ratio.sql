-- The SELECT of ratio on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Fails as long as a row has an amount of 0, and keeps back the one source that it reads. */
SELECT
  baseline.id,
  CAST(100 / baseline.amount AS DECIMAL(18, 4)) AS ratio
FROM corners_live.baseline AS baseline
