-- Leaves in recomputed what comes first of the rows that are known.
-- Names: fact, rows (how many it keeps).
INSERT INTO scdc_recomputed (
{% for column in fact.column_names %}
  {{ column | name }}{{ "" if loop.last else "," }}
{% endfor %}
)
SELECT
{% for column in fact.column_names %}
  {{ column | name }}{{ "" if loop.last else "," }}
{% endfor %}
FROM scdc_placed
WHERE
  scdc_known = 1
ORDER BY
  scdc_place
LIMIT {{ rows }}
