-- Number of rows of some relations; one row.
-- Names: relations.
SELECT
{% for relation in relations %}
  (
    SELECT
      COUNT(*)
    FROM {{ relation | name }}
  ) AS rows_{{ loop.index }}{{ "" if loop.last else "," }}
{% endfor %}
