-- Rows that runs have changed last, the newest first: their keys as text, and what happened. Grain: a row and attempt.
-- Names: table (a source or fact), key (its columns), history, of_run (one run alone), most. Parameters: its key if so.
SELECT
  {% for part in key %}
  {{ (part | name) if table.column(part).is_text else (part | name) ~ "::VARCHAR(64)" }},
  {% endfor %}
  scdc_at,
  scdc_run,
  scdc_change,
  scdc_columns
FROM {{ history | name }}
WHERE
  scdc_change <> 'G'
  {% if of_run %}
  AND scdc_run = %s::VARCHAR(512)
  {% endif %}
ORDER BY
  scdc_at DESC
LIMIT {{ most }}
