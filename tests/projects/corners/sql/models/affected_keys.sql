-- Groups of which one has NULL as its key.
{{ config(unique_key='label', meta={'cdc': {'anchor': 'anchor'}}) }}
SELECT
  COALESCE(CAST(baseline.group_id AS VARCHAR(20)), 'none') AS label,
  baseline.group_id AS anchor,
  COUNT(*) AS row_count,
  CAST(SUM(baseline.amount) AS NUMERIC(18, 2)) AS amount,
  COUNT(DISTINCT changed.language) AS languages
FROM {{ source('live', 'baseline') }} AS baseline
LEFT JOIN {{ source('live', 'changed') }} AS changed
  ON changed.anchor = baseline.id
GROUP BY
  baseline.group_id
