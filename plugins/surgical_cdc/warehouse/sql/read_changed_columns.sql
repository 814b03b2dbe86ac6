-- The columns of facts of which runs have changed most cells in the last days. Grain: a column of a fact.
-- Names: control, most. Parameters: days.
SELECT
  changed.fact_name,
  changed.column_name,
  SUM(changed.cells) AS cells
FROM {{ control | name }}.run_columns AS changed
WHERE
  EXISTS(
    SELECT
      1
    FROM {{ control | name }}.runs
    WHERE
      runs.run_key = changed.run_key
      AND runs.token = changed.token
      AND runs.finished_at >= DATEADD(day, -%s::INTEGER, GETDATE())
  )
GROUP BY
  changed.fact_name,
  changed.column_name
ORDER BY
  cells DESC,
  changed.fact_name,
  changed.column_name
LIMIT {{ most }}
