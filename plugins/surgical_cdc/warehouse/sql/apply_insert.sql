-- Inserts the recomputed rows that the fact does not have.
-- Names: fact.
{% from "key.jinja" import same_key %}
INSERT INTO {{ fact.relation | name }} (
{% for column in fact.column_names %}
  {{ column | name }}{{ "" if loop.last else "," }}
{% endfor %}
)
SELECT
{% for column in fact.column_names %}
  scdc_recomputed.{{ column | name }}{{ "" if loop.last else "," }}
{% endfor %}
FROM scdc_recomputed
WHERE
  NOT EXISTS (
    SELECT
      1
    FROM {{ fact.relation | name }} AS scdc_existing
    WHERE
      {{ same_key(fact.unique_key, "scdc_existing", "scdc_recomputed") }}
  )
