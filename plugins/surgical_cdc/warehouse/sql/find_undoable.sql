-- Attempts at a run of which histories know: by source how many rows, and whether they have all. Grain: a source and attempt.
-- Names: histories (source -> relation). Parameters: the run key, once for each.
{% for source, relation in histories.items() %}
SELECT
  '{{ source }}'::VARCHAR(64) AS source_name,
  scdc_token,
  MAX(scdc_at) AS changed_at,
  COUNT(CASE WHEN scdc_change = 'G' THEN 1 END) AS gaps
FROM {{ relation | name }}
WHERE
  scdc_run = %s::VARCHAR(512)
GROUP BY
  scdc_token
{{ "" if loop.last else "UNION ALL" }}
{% endfor %}
