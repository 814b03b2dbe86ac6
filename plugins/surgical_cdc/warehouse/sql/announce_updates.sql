-- In how many of the fact's rows each column would be updated; one row.
-- Names: fact, columns.
{% from "comparison.jinja" import same %}
SELECT
{% for column in columns %}
  COUNT(CASE WHEN {{ same(column, fact.relation | table_name, "scdc_recomputed") }} THEN NULL ELSE 1 END) AS {{ ("updated_" ~ loop.index) | name }}{{ "" if loop.last else "," }}
{% endfor %}
FROM {{ fact.relation | name }}
JOIN scdc_recomputed
  ON scdc_recomputed.{{ fact.unique_key | name }} = {{ fact.relation | table_name }}.{{ fact.unique_key | name }}
