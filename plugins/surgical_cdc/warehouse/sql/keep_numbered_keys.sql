-- Takes as affected only the keys with some numbers.
-- Parameters: first, last.
INSERT INTO scdc_affected_keys (
  anchor
)
SELECT
  scdc_numbered_keys.anchor
FROM scdc_numbered_keys
WHERE
  scdc_numbered_keys.number BETWEEN %s AND %s
