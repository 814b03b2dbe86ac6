-- Keeps a change set's quarantined rows, each once: EXCEPT takes NULL for NULL, and LENGTH tells trailing blanks apart.
-- Grain: a staged row.
-- Names: source, relation, quarantine. Parameters: run key.
INSERT INTO {{ quarantine | name }} (
  {% for column in source.columns %}
  {{ column.name | name }},
  {% endfor %}
  cdc_run,
  cdc_reason,
  cdc_quarantined_at
)
SELECT
  {% for column in source.columns %}
  {{ column.name | name }},
  {% endfor %}
  %s::VARCHAR(512),
  cdc_reason,
  GETDATE()
FROM (
  SELECT
    {% for column in source.columns %}
    {{ column.name | name }},
    {% if column.is_text %}
    LENGTH({{ column.name | name }}) AS cdc_length_{{ loop.index }},
    {% endif %}
    {% endfor %}
    cdc_reason
  FROM {{ relation | name }}
  WHERE
    cdc_change = 'Q'
  EXCEPT
  SELECT
    {% for column in source.columns %}
    {{ column.name | name }},
    {% if column.is_text %}
    LENGTH({{ column.name | name }}) AS cdc_length_{{ loop.index }},
    {% endif %}
    {% endfor %}
    cdc_reason
  FROM {{ quarantine | name }}
) AS unseen
