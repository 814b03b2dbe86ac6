-- Gives the rows of a change set what the baseline has in all columns but one. Grain: an updated key.
-- Names: source, relation, columns (all others but the key), mask (that of the column left).
{% from "key.jinja" import same_key %}
UPDATE {{ relation | name }}
SET
{% for column in columns %}
  {{ column | name }} = scdc_baseline.{{ column | name }},
{% endfor %}
  scdc_mask = '{{ mask }}'
FROM {{ source.relation | name }} AS scdc_baseline
WHERE
  {{ same_key(source.key, "scdc_baseline", relation | table_name) }}
