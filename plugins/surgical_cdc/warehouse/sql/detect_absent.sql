-- Adds to a snapshot source's change set the deletion of each key that the baseline has and staging has not.
-- Grain: a key. A staged row that waits for a later window still counts as present.
-- Names: source, staged (detect_keys.sql), relation, full_mask.
{% from "key.jinja" import key_columns %}
INSERT INTO {{ relation | name }} (
  scdc_change,
  scdc_mask,
  {{ key_columns(source.key, "") }},
  {{ source.cursor | name }}
)
SELECT
  'D',
  '{{ full_mask }}',
  {{ key_columns(source.key, "") }},
  scdc_cursor
FROM {{ staged | name }}
WHERE
  scdc_newest = 3
