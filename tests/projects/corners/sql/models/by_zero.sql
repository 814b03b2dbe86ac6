-- A tie that tells 0 from -0, and both from a weight that is none.
{{ config(unique_key='run_key') }}
SELECT
  baseline.id AS run_key,
  COUNT(changed.id) AS found
FROM {{ source('live', 'baseline') }} AS baseline
LEFT JOIN {{ source('live', 'changed') }} AS changed
  ON CAST(changed."encrypt" AS VARCHAR(32)) = CAST(baseline.weight AS VARCHAR(32))
GROUP BY
  baseline.id
