-- The scratch tables that may go: those of one run, and those of others that are older than some days.
-- Names: control. Parameters: run key (NULL: its tables are kept), run key, days.
SELECT
  relation_name
FROM {{ control | name }}.scratch_tables
WHERE
  run_key = %s::VARCHAR(512)
  OR (
    run_key <> %s::VARCHAR(512)
    AND created_at < DATEADD(day, -%s::INTEGER, GETDATE())
  )
