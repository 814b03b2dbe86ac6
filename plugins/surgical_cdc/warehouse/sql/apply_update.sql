-- Updates the fact's rows that differ from the recomputed ones, in the columns that can have changed.
-- Names: fact, columns.
{% from "comparison.jinja" import same %}
{% from "key.jinja" import same_key %}
UPDATE {{ fact.relation | name }}
SET
{% for column in columns %}
  {{ column.name | name }} = scdc_recomputed.{{ column.name | name }}{{ "" if loop.last else "," }}
{% endfor %}
FROM scdc_recomputed
WHERE
  {{ same_key(fact.unique_key, "scdc_recomputed", fact.relation | table_name) }}
  AND (
{% for column in columns %}
    CASE WHEN {{ same(column, fact.relation | table_name, "scdc_recomputed") }} THEN 0 ELSE 1 END = 1{{ "" if loop.last else " OR" }}
{% endfor %}
  )
