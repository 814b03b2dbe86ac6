-- Adds to a snapshot source's change set the deletion of each key that the baseline has and staging has not.
-- Grain: a key. A staged row that waits for a later window still counts as present.
-- Names: source, relation, full_mask, keys (their number; none: all). Parameters: keys.
{% from "key.jinja" import key_columns, same_key %}
{% from "window.jinja" import among %}
INSERT INTO {{ relation | name }} (
  scdc_change,
  scdc_mask,
  {{ key_columns(source.key, "") }},
  {{ source.cursor | name }}
)
SELECT
  'D',
  '{{ full_mask }}',
  {{ key_columns(source.key, "scdc_baseline") }},
  scdc_baseline.{{ source.cursor | name }}
FROM {{ source.relation | name }} AS scdc_baseline
LEFT JOIN {{ source.staging | name }} AS scdc_staged
  ON {{ same_key(source.key, "scdc_staged", "scdc_baseline") }}
WHERE
  scdc_staged.{{ source.key[0] | name }} IS NULL
{% if keys %}
  AND {{ among(source, "scdc_baseline", keys) }}
{% endif %}
