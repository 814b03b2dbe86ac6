-- Up to five recomputed row keys that rows of other, unaffected anchor values hold already.
-- Names: fact, null_key (whether NULL is an affected key).
{% from "key.jinja" import key_columns, same_key, shown_key %}
SELECT
  {{ shown_key(fact.unique_key, "scdc_recomputed") }} AS row_key,
  COUNT(*) + 1 AS row_count
FROM scdc_recomputed
INNER JOIN {{ fact.relation | name }} AS scdc_existing
  ON {{ same_key(fact.unique_key, "scdc_existing", "scdc_recomputed") }}
LEFT JOIN scdc_affected_keys
  ON scdc_affected_keys.anchor = scdc_existing.{{ fact.anchor | name }}
WHERE
  scdc_affected_keys.anchor IS NULL
{% if null_key %}
  AND NOT scdc_existing.{{ fact.anchor | name }} IS NULL
{% endif %}
GROUP BY
  {{ key_columns(fact.unique_key, "scdc_recomputed") }}
ORDER BY
  1
LIMIT 5
