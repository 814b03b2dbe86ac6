-- Up to five recomputed row keys that rows of other, unaffected anchor values hold already.
-- Names: fact, null_key (whether NULL is an affected key).
SELECT
  scdc_recomputed.{{ fact.unique_key | name }} AS row_key,
  COUNT(*) + 1 AS row_count
FROM scdc_recomputed
INNER JOIN {{ fact.relation | name }} AS scdc_existing
  ON scdc_existing.{{ fact.unique_key | name }} = scdc_recomputed.{{ fact.unique_key | name }}
LEFT JOIN scdc_affected_keys
  ON scdc_affected_keys.anchor = scdc_existing.{{ fact.anchor | name }}
WHERE
  scdc_affected_keys.anchor IS NULL
{% if null_key %}
  AND NOT scdc_existing.{{ fact.anchor | name }} IS NULL
{% endif %}
GROUP BY
  scdc_recomputed.{{ fact.unique_key | name }}
ORDER BY
  1
LIMIT 5
