-- Adds to a snapshot source's change set the deletion of each key that the baseline has and staging has not.
-- Grain: a key. A staged row that waits for a later window still counts as present.
-- Names: source, relation, full_mask, keys (their number; none: all). Parameters: keys.
{% from "window.jinja" import among %}
INSERT INTO {{ relation | name }} (
  cdc_change,
  cdc_mask,
  {{ source.key | name }},
  {{ source.cursor | name }}
)
SELECT
  'D',
  '{{ full_mask }}',
  baseline.{{ source.key | name }},
  baseline.{{ source.cursor | name }}
FROM {{ source.relation | name }} AS baseline
LEFT JOIN {{ source.staging | name }} AS staged
  ON staged.{{ source.key | name }} = baseline.{{ source.key | name }}
WHERE
  staged.{{ source.key | name }} IS NULL
{% if keys %}
  AND {{ among("baseline." ~ (source.key | name), keys) }}
{% endif %}
