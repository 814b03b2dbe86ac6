-- Sizes of a snapshot source, one row: rows of the baseline, rows of staging.
-- Names: source.
SELECT
  COUNT(*) AS baseline_rows,
  (
    SELECT
      COUNT(*)
    FROM {{ source.staging | name }}
  ) AS staged_rows
FROM {{ source.relation | name }}
