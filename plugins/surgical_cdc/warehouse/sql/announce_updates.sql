-- In how many of the fact's rows each column would be updated; one row.
-- Names: fact, columns.
{% from "comparison.jinja" import same %}
{% from "key.jinja" import same_key %}
SELECT
{% for column in columns %}
  COUNT(CASE WHEN {{ same(column, fact.relation | table_name, "scdc_recomputed") }} THEN NULL ELSE 1 END) AS {{ ("updated_" ~ loop.index) | name }}{{ "" if loop.last else "," }}
{% endfor %}
FROM {{ fact.relation | name }}
JOIN scdc_recomputed
  ON {{ same_key(fact.unique_key, "scdc_recomputed", fact.relation | table_name) }}
