-- Keeps the recomputed groups.
-- Names: groups.
INSERT INTO {{ groups.relation | name }} (
  anchor,
{% for column in groups.keys + groups.looks + groups.numbers %}
  {{ column | name }}{{ "" if loop.last else "," }}
{% endfor %}
)
SELECT
  anchor,
{% for column in groups.keys + groups.looks + groups.numbers %}
  {{ column | name }}{{ "" if loop.last else "," }}
{% endfor %}
FROM scdc_recomputed
