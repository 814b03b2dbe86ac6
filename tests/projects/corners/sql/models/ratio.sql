-- Fails as long as a row has an amount of 0, and keeps back the one source that it reads.
{{ config(unique_key='id') }}
SELECT
  baseline.id,
  CAST(100 / baseline.amount AS NUMERIC(18, 4)) AS ratio
FROM {{ source('live', 'baseline') }} AS baseline
