-- Recomputes the kept groups of the affected keys: what they were, and what is added to them and taken off. Of no
-- values the sum is NULL.
-- Names: groups, null_key (whether NULL is an affected key).
INSERT INTO scdc_recomputed (
  anchor,
{% for column in groups.keys + groups.looks + groups.numbers %}
  {{ column | name }}{{ "" if loop.last else "," }}
{% endfor %}
)
SELECT
  anchor,
{% for column in groups.keys + groups.looks %}
  {{ column | name }},
{% endfor %}
{% for column in groups.numbers %}
  {% if column.startswith("scdc_sum_") %}
  CASE WHEN SUM({{ column.replace("sum", "count") | name }}) <> 0 THEN SUM({{ column | name }}) END
  {%- else %}
  SUM({{ column | name }})
  {%- endif %}
  {{- "" if loop.last else "," }}
{% endfor %}
FROM (
  SELECT
    anchor,
{% for column in groups.keys + groups.looks + groups.numbers %}
    {{ column | name }}{{ "" if loop.last else "," }}
{% endfor %}
  FROM {{ groups.relation | name }}
  WHERE
    anchor IN (SELECT anchor FROM scdc_affected_keys){{ " OR anchor IS NULL" if null_key }}
  UNION ALL
  SELECT
    anchor,
{% for column in groups.keys + groups.looks + groups.numbers %}
    {{ column | name }}{{ "" if loop.last else "," }}
{% endfor %}
  FROM scdc_contributions
) AS scdc_parts
GROUP BY
  anchor,
{% for column in groups.keys + groups.looks %}
  {{ column | name }}{{ "" if loop.last else "," }}
{% endfor %}
HAVING
{% for column in groups.numbers %}
  SUM({{ column | name }}) <> 0{{ "" if loop.last else " OR" }}
{% endfor %}
