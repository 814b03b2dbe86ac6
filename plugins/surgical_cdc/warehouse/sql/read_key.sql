-- Rows of one key; of a history the oldest first, and what says that a run's rows are not kept. Grain: a row.
-- Names: table (a source or fact), key (its columns), relation, columns. Parameters: the key's values as text.
SELECT
  {% for column in columns %}
  {{ column.name | name }}{{ "" if loop.last else "," }}
  {% endfor %}
FROM {{ relation | name }}
WHERE
  {% if relation != table.relation %}
  scdc_change = 'G' OR
  {% endif %}
  {% for part in key %}
  {{ "RTRIM(" ~ (part | name) ~ ")" if table.column(part).is_text else (part | name) ~ "::VARCHAR(64)" }} = RTRIM(%s::VARCHAR(65535)){{ "" if loop.last else " AND" }}
  {% endfor %}
{% if relation != table.relation %}
ORDER BY
  scdc_at
{% endif %}
