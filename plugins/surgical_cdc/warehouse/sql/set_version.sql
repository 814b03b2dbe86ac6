-- Says of which version the control tables are.
-- Names: control. Parameters: version.
UPDATE {{ control | name }}.lease
SET
  version = %s::INTEGER
