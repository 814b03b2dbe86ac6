-- Deletes the fact's rows of the affected keys that the recomputed rows no longer have.
-- Names: fact.
{% from "key.jinja" import same_key %}
DELETE FROM {{ fact.relation | name }}
USING scdc_affected_keys
WHERE
  {{ fact.relation | table_name }}.{{ fact.anchor | name }} = scdc_affected_keys.anchor
  AND NOT EXISTS (
    SELECT
      1
    FROM scdc_recomputed
    WHERE
      {{ same_key(fact.unique_key, "scdc_recomputed", fact.relation | table_name) }}
  )
