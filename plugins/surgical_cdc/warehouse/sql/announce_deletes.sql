-- Row keys of some rows that would be deleted from the fact.
-- Names: fact, null_key (whether NULL is an affected key), limit.
{% from "key.jinja" import same_key, shown_key %}
SELECT
  {{ shown_key(fact.unique_key, "scdc_existing") }} AS row_key
FROM {{ fact.relation | name }} AS scdc_existing
LEFT JOIN scdc_affected_keys
  ON scdc_affected_keys.anchor = scdc_existing.{{ fact.anchor | name }}
LEFT JOIN scdc_recomputed
  ON {{ same_key(fact.unique_key, "scdc_recomputed", "scdc_existing") }}
WHERE
  scdc_recomputed.{{ fact.unique_key[0] | name }} IS NULL
  AND (
    NOT scdc_affected_keys.anchor IS NULL
{% if null_key %}
    OR scdc_existing.{{ fact.anchor | name }} IS NULL
{% endif %}
  )
ORDER BY
  row_key
LIMIT {{ limit }}
