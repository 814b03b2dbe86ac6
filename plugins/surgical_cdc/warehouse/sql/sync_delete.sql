-- Takes the rows that a change set replaces or deletes out of the baseline. Grain: a key.
-- Names: source, relation.
DELETE FROM {{ source.relation | name }}
USING {{ relation | name }} AS scdc_changed
WHERE
  {{ source.relation | table_name }}.{{ source.key | name }} = scdc_changed.{{ source.key | name }}
  AND scdc_changed.scdc_change IN ('U', 'D')
