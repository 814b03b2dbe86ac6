-- Affected keys that wait for a sync, one row per fact.
-- Names: facts (name -> pending relation).
{% for fact, relation in facts.items() %}
SELECT
  '{{ fact }}'::VARCHAR(64) AS fact_name,
  COUNT(*) AS pending_keys
FROM {{ relation | name }}
{{ "" if loop.last else "UNION ALL" }}
{% endfor %}
