-- A fact beside its query, one row: rows of each, and rows that only one of them has.
-- EXCEPT takes NULL for NULL; LENGTH tells trailing blanks apart, where the query does not leave them open.
-- Names: fact, exact.
{% macro rows(relation) %}
SELECT
  {% for column in fact.columns %}
  {% if exact and column.is_text %}
  LENGTH({{ column.name | name }}) AS cdc_length_{{ loop.index }},
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
    FROM cdc_expected
  ) AS expected_rows,
  (
    SELECT
      COUNT(*)
    FROM (
      {{ rows("cdc_expected") | indent(6) }}
      EXCEPT
      {{ rows(fact.relation) | indent(6) }}
    ) AS missing
  ) AS missing_rows,
  (
    SELECT
      COUNT(*)
    FROM (
      {{ rows(fact.relation) | indent(6) }}
      EXCEPT
      {{ rows("cdc_expected") | indent(6) }}
    ) AS unexpected
  ) AS unexpected_rows
