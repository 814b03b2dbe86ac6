-- In how many of the fact's rows each column would be updated; one row.
-- Names: fact, columns.
{% from "comparison.jinja" import same %}
SELECT
{% for column in columns %}
  COUNT(CASE WHEN {{ same(column, fact.relation | table_name, "recomputed") }} THEN NULL ELSE 1 END) AS {{ ("updated_" ~ loop.index) | name }}{{ "" if loop.last else "," }}
{% endfor %}
FROM {{ fact.relation | name }}
JOIN recomputed
  ON recomputed.{{ fact.unique_key | name }} = {{ fact.relation | table_name }}.{{ fact.unique_key | name }}
