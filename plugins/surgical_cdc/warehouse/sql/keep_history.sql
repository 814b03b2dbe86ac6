-- Keeps what a change set does to the baseline, before it is done: the old image of each row that it replaces or deletes,
-- and the key of each that it inserts. Grain: a key.
-- Names: source, relation, history. Parameters: run key, token.
{% from "key.jinja" import same_key %}
INSERT INTO {{ history | name }} (
  {% for column in source.columns %}
  {{ column.name | name }},
  {% endfor %}
  scdc_run,
  scdc_token,
  scdc_change,
  scdc_columns,
  scdc_cursor,
  scdc_at
)
SELECT
  {% for column in source.columns %}
  {% if column.name in source.key %}
  CASE WHEN scdc_changed.scdc_change = 'I' THEN scdc_changed.{{ column.name | name }} ELSE scdc_row.{{ column.name | name }} END,
  {% else %}
  scdc_row.{{ column.name | name }},
  {% endif %}
  {% endfor %}
  %s::VARCHAR(512),
  %s::VARCHAR(32),
  scdc_changed.scdc_change,
  CASE
    WHEN scdc_changed.scdc_change IN ('U', 'T') THEN
      LTRIM({% for column in source.columns %}
CASE WHEN SUBSTRING(scdc_changed.scdc_mask, {{ loop.index }}, 1) = '1' THEN ',{{ column.name }}' ELSE '' END{{ "" if loop.last else " || " }}
      {%- endfor %}, ',')
  END,
  scdc_changed.{{ source.cursor | name }},
  SYSDATE
FROM {{ relation | name }} AS scdc_changed
LEFT JOIN {{ source.relation | name }} AS scdc_row
  ON {{ same_key(source.key, "scdc_row", "scdc_changed") }}
WHERE
  scdc_changed.scdc_change IN ('I', 'U', 'D', 'T')
