-- Removes the kept groups of the affected keys, before they are kept as they will be.
-- Names: groups, null_key (whether NULL is an affected key).
DELETE FROM {{ groups.relation | name }}
WHERE
  anchor IN (SELECT anchor FROM scdc_affected_keys){{ " OR anchor IS NULL" if null_key }}
