-- What the ledger has of an attempt, in one of its tables. Grain: a line.
-- Names: ledger, columns. Parameters: run key, token.
SELECT
  {% for column in columns %}
  {{ column.name | name }}{{ "" if loop.last else "," }}
  {% endfor %}
FROM {{ ledger | name }}
WHERE
  run_key = %s::VARCHAR(512)
  AND token = %s::VARCHAR(32)
