-- Updates the fact's rows that differ from the recomputed ones, in the columns that can have changed.
-- Names: fact, columns.
{% from "comparison.jinja" import same %}
UPDATE {{ fact.relation | name }}
SET
{% for column in columns %}
  {{ column.name | name }} = scdc_recomputed.{{ column.name | name }}{{ "" if loop.last else "," }}
{% endfor %}
FROM scdc_recomputed
WHERE
  scdc_recomputed.{{ fact.unique_key | name }} = {{ fact.relation | table_name }}.{{ fact.unique_key | name }}
  AND (
{% for column in columns %}
    CASE WHEN {{ same(column, fact.relation | table_name, "scdc_recomputed") }} THEN 0 ELSE 1 END = 1{{ "" if loop.last else " OR" }}
{% endfor %}
  )
