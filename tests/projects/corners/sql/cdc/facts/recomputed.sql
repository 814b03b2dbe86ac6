-- The SELECT of recomputed on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* Names that the engine or SQL has for something else, and floats as they are written. */
SELECT
  changed.id,
  changed.language,
  changed."encrypt",
  CAST(changed."encrypt" AS VARCHAR(32)) AS encrypt_text,
  changed.rate,
  changed.cdc_change,
  changed.cdc_run,
  existing.weight AS existing_weight
FROM corners_live.changed AS changed
LEFT JOIN corners_live.baseline AS existing
  ON existing.id = changed.cdc_run
