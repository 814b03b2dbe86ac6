-- The privileges that were granted on a table, one row each. Reads the catalog alone.
-- Those of datashares, whose roles are called ds:, can not be granted.
-- Parameters: schema, table.
SELECT
  privilege_type,
  identity_type,
  identity_name,
  admin_option
FROM svv_relation_privileges
WHERE
  namespace_name = %s
  AND relation_name = %s
  AND (
    identity_type = 'public'
    OR LEFT(identity_name, 3) <> 'ds:'
  )
