-- Rows of a source that the last runs with news have changed, the newest first. Grain: an attempt.
-- Names: control, runs (how many). Parameters: source.
SELECT
  inserts + updates + deletes AS changes
FROM {{ control | name }}.run_sources
WHERE
  source_name = %s::VARCHAR(64)
  AND synced
  AND inserts + updates + deletes > 0
ORDER BY
  window_end DESC
LIMIT {{ runs }}
