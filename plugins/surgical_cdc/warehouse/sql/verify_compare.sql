-- A fact beside its query, one row: rows of each, and rows that only one of them has.
-- EXCEPT takes NULL for NULL; looks tell equal values apart.
-- Names: fact, exact (its columns of which the query does not leave open which of several equal values it shows).
{% from "comparison.jinja" import look %}
{% macro rows(relation) %}
SELECT
  {% for column in fact.columns %}
  {% if column in exact %}
  {{ look(column, column.name | name) }} AS scdc_look_{{ loop.index }},
  {% endif %}
  {{ column.name | name }}{{ "" if loop.last else "," }}
  {% endfor %}
FROM {{ relation | name }}
{% endmacro %}
SELECT
  (
    SELECT
      COUNT(*)
    FROM {{ fact.relation | name }}
  ) AS fact_rows,
  (
    SELECT
      COUNT(*)
    FROM scdc_expected
  ) AS expected_rows,
  (
    SELECT
      COUNT(*)
    FROM (
      {{ rows("scdc_expected") | indent(6) }}
      EXCEPT
      {{ rows(fact.relation) | indent(6) }}
    ) AS scdc_missing
  ) AS missing_rows,
  (
    SELECT
      COUNT(*)
    FROM (
      {{ rows(fact.relation) | indent(6) }}
      EXCEPT
      {{ rows("scdc_expected") | indent(6) }}
    ) AS scdc_unexpected
  ) AS unexpected_rows
