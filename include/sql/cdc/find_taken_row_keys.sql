-- Up to five recomputed row keys that rows of other, unaffected anchor values hold already.
-- Names: fact.
SELECT
  recomputed.{{ fact.unique_key | name }} AS row_key,
  COUNT(*) + 1 AS row_count
FROM recomputed
INNER JOIN {{ fact.relation | name }} AS existing
  ON existing.{{ fact.unique_key | name }} = recomputed.{{ fact.unique_key | name }}
LEFT JOIN affected_keys
  ON affected_keys.anchor = existing.{{ fact.anchor | name }}
WHERE
  affected_keys.anchor IS NULL
  AND NOT existing.{{ fact.anchor | name }} IS NULL
GROUP BY
  recomputed.{{ fact.unique_key | name }}
ORDER BY
  1
LIMIT 5
