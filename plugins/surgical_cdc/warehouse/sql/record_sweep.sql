-- Says that what is kept has been held against its retention.
-- Names: control.
UPDATE {{ control | name }}.lease
SET
  swept_at = GETDATE()
