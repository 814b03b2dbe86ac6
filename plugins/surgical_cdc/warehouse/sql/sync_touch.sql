-- Moves the cursor of the baseline's rows in which a change set found nothing else to differ. Grain: a key.
-- Names: source, relation.
{% from "key.jinja" import same_key %}
UPDATE {{ source.relation | name }}
SET
  {{ source.cursor | name }} = scdc_changed.{{ source.cursor | name }}
FROM {{ relation | name }} AS scdc_changed
WHERE
  {{ same_key(source.key, "scdc_changed", source.relation | table_name) }}
  AND scdc_changed.scdc_change = 'T'
