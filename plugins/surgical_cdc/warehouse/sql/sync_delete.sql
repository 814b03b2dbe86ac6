-- Takes the rows that a change set replaces or deletes out of the baseline. Grain: a key.
-- Names: source, relation.
{% from "key.jinja" import same_key %}
DELETE FROM {{ source.relation | name }}
USING {{ relation | name }} AS scdc_changed
WHERE
  {{ same_key(source.key, source.relation | table_name, "scdc_changed") }}
  AND scdc_changed.scdc_change IN ('U', 'D')
