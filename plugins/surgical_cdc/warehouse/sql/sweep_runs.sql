-- Deletes the lines of old runs from the ledger.
-- Names: control. Parameters: days.
DELETE FROM {{ control | name }}.runs
WHERE
  finished_at < DATEADD(day, -%s::INTEGER, GETDATE())
