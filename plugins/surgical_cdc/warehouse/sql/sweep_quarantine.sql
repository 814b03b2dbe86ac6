-- Deletes rows that were quarantined long ago.
-- Names: relation. Parameters: days.
DELETE FROM {{ relation | name }}
WHERE
  scdc_quarantined_at < DATEADD(day, -%s::INTEGER, GETDATE())
