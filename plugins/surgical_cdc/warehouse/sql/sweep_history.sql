-- Deletes what was kept long ago of a history.
-- Names: relation. Parameters: days.
DELETE FROM {{ relation | name }}
WHERE
  scdc_at < DATEADD(day, -%s::INTEGER, GETDATE())
