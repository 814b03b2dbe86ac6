-- Up to five keys that a baseline has more than once, or that are NULL, with their number of rows.
-- Names: source, candidates (only keys that are in them; none: all).
SELECT
  scdc_baseline.{{ source.key | name }} AS source_key,
  COUNT(*) AS row_count
FROM {{ source.relation | name }} AS scdc_baseline
{% if candidates %}
WHERE
  scdc_baseline.{{ source.key | name }} IS NULL
  OR scdc_baseline.{{ source.key | name }} IN (
    SELECT
      scdc_candidate.{{ source.key | name }}
    FROM {{ candidates | name }} AS scdc_candidate
  )
{% endif %}
GROUP BY
  scdc_baseline.{{ source.key | name }}
HAVING
  COUNT(*) > 1
  OR scdc_baseline.{{ source.key | name }} IS NULL
ORDER BY
  1
LIMIT 5
