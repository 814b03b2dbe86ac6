-- Row keys of some rows that would be inserted into the fact.
-- Names: fact, limit.
SELECT
  scdc_recomputed.{{ fact.unique_key | name }} AS row_key
FROM scdc_recomputed
LEFT JOIN {{ fact.relation | name }} AS scdc_existing
  ON scdc_existing.{{ fact.unique_key | name }} = scdc_recomputed.{{ fact.unique_key | name }}
WHERE
  scdc_existing.{{ fact.unique_key | name }} IS NULL
ORDER BY
  row_key
LIMIT {{ limit }}
