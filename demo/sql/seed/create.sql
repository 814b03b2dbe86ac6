-- A seed table: it lives as long as the session.
-- Names: table, columns (names and data types).
CREATE TEMP TABLE {{ table }} (
{% for column, data_type in columns.items() %}
  {{ column }} {{ data_type }}{{ "," if not loop.last }}
{% endfor %}
)
