-- Puts the new images of a change set into the baseline. Grain: a key.
-- Names: source, relation.
INSERT INTO {{ source.relation | name }} (
  {% for column in source.columns %}
  {{ column.name | name }}{{ "" if loop.last else "," }}
  {% endfor %}
)
SELECT
  {% for column in source.columns %}
  {{ column.name | name }}{{ "" if loop.last else "," }}
  {% endfor %}
FROM {{ relation | name }}
WHERE
  scdc_change IN ('I', 'U')
