-- Some of the fact's rows that would be updated: the row key, then each column's old value, then each column's new one.
-- Grain: a row of the fact. Names: fact, columns, limit.
{% from "comparison.jinja" import same %}
{% from "key.jinja" import same_key, shown_key %}
SELECT
  {{ shown_key(fact.unique_key, fact.relation | table_name) }} AS row_key,
{% for column in columns %}
  {{ fact.relation | table_name }}.{{ column.name | name }} AS {{ ("old_" ~ loop.index) | name }},
{% endfor %}
{% for column in columns %}
  scdc_recomputed.{{ column.name | name }} AS {{ ("new_" ~ loop.index) | name }}{{ "" if loop.last else "," }}
{% endfor %}
FROM {{ fact.relation | name }}
JOIN scdc_recomputed
  ON {{ same_key(fact.unique_key, "scdc_recomputed", fact.relation | table_name) }}
WHERE
{% for column in columns %}
  CASE WHEN {{ same(column, fact.relation | table_name, "scdc_recomputed") }} THEN 0 ELSE 1 END = 1{{ "" if loop.last else " OR" }}
{% endfor %}
ORDER BY
  row_key
LIMIT {{ limit }}
