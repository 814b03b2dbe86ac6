-- Deletes the fact's rows whose anchor is NULL, if that is an affected key, unless the recomputed rows have them.
-- Names: fact.
{% from "key.jinja" import same_key %}
DELETE FROM {{ fact.relation | name }}
WHERE
  {{ fact.anchor | name }} IS NULL
  AND EXISTS (
    SELECT
      1
    FROM scdc_affected_keys
    WHERE
      anchor IS NULL
  )
  AND NOT EXISTS (
    SELECT
      1
    FROM scdc_recomputed
    WHERE
      {{ same_key(fact.unique_key, "scdc_recomputed", fact.relation | table_name) }}
  )
