-- Names that the engine or SQL has for something else, and floats as they are written.
{{ config(unique_key='id') }}
SELECT
  changed.id,
  changed.language,
  changed."encrypt",
  CAST(changed."encrypt" AS VARCHAR(32)) AS encrypt_text,
  changed.rate,
  changed.cdc_change,
  changed.cdc_run,
  existing.weight AS existing_weight
FROM {{ source('live', 'changed') }} AS changed
LEFT JOIN {{ source('live', 'baseline') }} AS existing
  ON existing.id = changed.cdc_run
