-- Moves the cursor of the baseline's rows in which a change set found nothing else to differ. Grain: a key.
-- Names: source, relation.
UPDATE {{ source.relation | name }}
SET
  {{ source.cursor | name }} = scdc_changed.{{ source.cursor | name }}
FROM {{ relation | name }} AS scdc_changed
WHERE
  scdc_changed.{{ source.key | name }} = {{ source.relation | table_name }}.{{ source.key | name }}
  AND scdc_changed.scdc_change = 'T'
