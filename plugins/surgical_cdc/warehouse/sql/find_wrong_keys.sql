-- Up to five keys that a baseline has more than once, or that are NULL, with their number of rows.
-- Names: source, candidates (only keys that are in them; none: all).
{% from "key.jinja" import key_columns, null_key_part, same_key, shown_key %}
SELECT
  {{ shown_key(source.key, "scdc_baseline") }} AS source_key,
  COUNT(*) AS row_count
FROM {{ source.relation | name }} AS scdc_baseline
{% if candidates %}
WHERE
  {{ null_key_part(source.key, "scdc_baseline") }}
  OR EXISTS (
    SELECT
      1
    FROM {{ candidates | name }} AS scdc_candidate
    WHERE
      {{ same_key(source.key, "scdc_candidate", "scdc_baseline") }}
  )
{% endif %}
GROUP BY
  {{ key_columns(source.key, "scdc_baseline") }}
HAVING
  COUNT(*) > 1
  OR {{ null_key_part(source.key, "scdc_baseline") }}
ORDER BY
  1
LIMIT 5
