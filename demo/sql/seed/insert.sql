-- Rows of a pool. Parameters: width values a row.
INSERT INTO {{ table }}
VALUES
{% for _ in range(rows) %}
  ({{ (["%s"] * width) | join(", ") }}){{ "," if not loop.last }}
{% endfor %}
