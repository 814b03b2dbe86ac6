-- Inserts the recomputed rows that the fact does not have.
-- Names: fact.
INSERT INTO {{ fact.relation | name }} (
{% for column in fact.column_names %}
  {{ column | name }}{{ "" if loop.last else "," }}
{% endfor %}
)
SELECT
{% for column in fact.column_names %}
  recomputed.{{ column | name }}{{ "" if loop.last else "," }}
{% endfor %}
FROM recomputed
WHERE
  NOT EXISTS (
    SELECT
      1
    FROM {{ fact.relation | name }} AS existing
    WHERE
      existing.{{ fact.unique_key | name }} = recomputed.{{ fact.unique_key | name }}
  )
