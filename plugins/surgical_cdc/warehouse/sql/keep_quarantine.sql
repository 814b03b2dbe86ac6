-- Keeps a change set's quarantined rows, each once: EXCEPT takes NULL for NULL, and looks tell equal values apart.
-- Grain: a staged row.
-- Names: source, relation, quarantine. Parameters: run key.
{% from "comparison.jinja" import look %}
INSERT INTO {{ quarantine | name }} (
  {% for column in source.columns %}
  {{ column.name | name }},
  {% endfor %}
  scdc_run,
  scdc_reason,
  scdc_quarantined_at
)
SELECT
  {% for column in source.columns %}
  {{ column.name | name }},
  {% endfor %}
  %s::VARCHAR(512),
  scdc_reason,
  GETDATE()
FROM (
  SELECT
    {% for column in source.columns %}
    {{ column.name | name }},
    {% if look(column, column.name | name) %}
    {{ look(column, column.name | name) }} AS scdc_look_{{ loop.index }},
    {% endif %}
    {% endfor %}
    scdc_reason
  FROM {{ relation | name }}
  WHERE
    scdc_change = 'Q'
  EXCEPT
  SELECT
    {% for column in source.columns %}
    {{ column.name | name }},
    {% if look(column, column.name | name) %}
    {{ look(column, column.name | name) }} AS scdc_look_{{ loop.index }},
    {% endif %}
    {% endfor %}
    scdc_reason
  FROM {{ quarantine | name }}
) AS scdc_unseen
