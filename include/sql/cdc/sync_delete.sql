-- Takes the rows that a change set replaces or deletes out of the baseline. Grain: a key.
-- Names: source, relation.
DELETE FROM {{ source.relation | name }}
USING {{ relation | name }} AS changed
WHERE
  {{ source.relation | table_name }}.{{ source.key | name }} = changed.{{ source.key | name }}
  AND changed.cdc_change IN ('U', 'D', 'T')
