-- Fills scdc_groups: kept groups whose keys are equal, and only look otherwise, are one.
-- Names: groups, relation (of the kept ones).
INSERT INTO scdc_groups (
{% for column in groups.keys + groups.numbers %}
  {{ column | name }}{{ "" if loop.last else "," }}
{% endfor %}
)
SELECT
{% for column in groups.keys %}
  {{ column | name }},
{% endfor %}
{% for column in groups.numbers %}
  SUM({{ column | name }}){{ "" if loop.last else "," }}
{% endfor %}
FROM {{ relation | name }}
GROUP BY
{% for column in groups.keys %}
  {{ column | name }}{{ "" if loop.last else "," }}
{% endfor %}
