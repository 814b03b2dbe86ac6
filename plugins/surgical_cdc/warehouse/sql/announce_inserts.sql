-- Row keys of some rows that would be inserted into the fact.
-- Names: fact, limit.
{% from "key.jinja" import same_key, shown_key %}
SELECT
  {{ shown_key(fact.unique_key, "scdc_recomputed") }} AS row_key
FROM scdc_recomputed
LEFT JOIN {{ fact.relation | name }} AS scdc_existing
  ON {{ same_key(fact.unique_key, "scdc_existing", "scdc_recomputed") }}
WHERE
  scdc_existing.{{ fact.unique_key[0] | name }} IS NULL
ORDER BY
  row_key
LIMIT {{ limit }}
