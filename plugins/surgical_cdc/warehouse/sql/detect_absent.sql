-- Adds to a snapshot source's change set the deletion of each key that the baseline has and staging has not.
-- Grain: a key. A staged row that waits for a later window still counts as present.
-- Names: source, relation, full_mask, keys (their number; none: all). Parameters: keys.
{% from "window.jinja" import among %}
INSERT INTO {{ relation | name }} (
  scdc_change,
  scdc_mask,
  {{ source.key | name }},
  {{ source.cursor | name }}
)
SELECT
  'D',
  '{{ full_mask }}',
  scdc_baseline.{{ source.key | name }},
  scdc_baseline.{{ source.cursor | name }}
FROM {{ source.relation | name }} AS scdc_baseline
LEFT JOIN {{ source.staging | name }} AS scdc_staged
  ON scdc_staged.{{ source.key | name }} = scdc_baseline.{{ source.key | name }}
WHERE
  scdc_staged.{{ source.key | name }} IS NULL
{% if keys %}
  AND {{ among("scdc_baseline." ~ (source.key | name), keys) }}
{% endif %}
