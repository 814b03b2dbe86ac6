-- Row keys of some rows that would be inserted into the fact.
-- Names: fact, limit.
SELECT
  recomputed.{{ fact.unique_key | name }} AS row_key
FROM recomputed
LEFT JOIN {{ fact.relation | name }} AS existing
  ON existing.{{ fact.unique_key | name }} = recomputed.{{ fact.unique_key | name }}
WHERE
  existing.{{ fact.unique_key | name }} IS NULL
ORDER BY
  row_key
LIMIT {{ limit }}
