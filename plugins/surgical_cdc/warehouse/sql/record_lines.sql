-- Writes a run's lines of the ledger, one per source or fact.
-- Names: ledger, columns, lines (their number). Parameters: the columns' values, line by line.
INSERT INTO {{ ledger | name }} (
  {% for column in columns %}
  {{ column.name | name }}{{ "" if loop.last else "," }}
  {% endfor %}
)
VALUES
{% for _ in lines %}
  ({% for column in columns %}%s::{{ column.data_type | upper }}{{ "" if loop.last else ", " }}{% endfor %}){{ "" if loop.last else "," }}
{% endfor %}
