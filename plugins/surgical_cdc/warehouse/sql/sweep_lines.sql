-- Deletes the lines of old runs from one table of the ledger.
-- Names: control, table. Parameters: days.
DELETE FROM {{ control | name }}.{{ table | name }}
WHERE
  token IN (
    SELECT
      runs.token
    FROM {{ control | name }}.runs
    WHERE
      runs.finished_at < DATEADD(day, -%s::INTEGER, GETDATE())
  )
