-- A change set in figures, one row.
-- Rows of the baseline that no key tells apart, rows that wait for a later window, keys compared, rows per change type,
-- disagreements, updates per column by its number.
-- Names: source, candidates, staged, relation, keys (their number; none: all). Parameters: window end, keys.
{% from "counted.jinja" import counted %}
{% from "key.jinja" import key_columns, key_text, null_key_part, same_key %}
{% from "window.jinja" import waiting %}
{% set cursor = source.cursor | name %}
SELECT
  scdc_baseline.surplus_rows,
  scdc_baseline.null_keys,
  scdc_waiting.waiting,
  scdc_waiting.farthest_cursor,
  scdc_staged.keys - scdc_unusable.keys - scdc_counted.tied_keys AS rows_compared,
  scdc_counted.*
FROM (
  SELECT
    (
      SELECT
        COALESCE(SUM(scdc_rows_of_key - 1), 0)
      FROM (
        SELECT
          COUNT(*) AS scdc_rows_of_key
        FROM {{ candidates | name }} AS scdc_candidate
        INNER JOIN {{ source.relation | name }} AS scdc_row
          ON {{ same_key(source.key, "scdc_row", "scdc_candidate") }}
        WHERE
          scdc_candidate.scdc_number = 1
        GROUP BY
          {{ key_columns(source.key, "scdc_row") }}
      ) AS scdc_key
    ) AS surplus_rows,
    (
      SELECT
        COUNT(*)
      FROM {{ source.relation | name }}
      WHERE
        {{ null_key_part(source.key, "") }}
    ) AS null_keys
) AS scdc_baseline
CROSS JOIN (
{{ waiting(source, keys) }}) AS scdc_waiting
CROSS JOIN (
  SELECT
    COUNT(CASE WHEN scdc_newest BETWEEN 0 AND 2 THEN 1 END) AS keys
  FROM {{ staged | name }}
) AS scdc_staged
CROSS JOIN (
  SELECT
    COUNT(*) AS keys
  FROM {{ candidates | name }}
  WHERE
    scdc_number = 1
    AND ({{ null_key_part(source.key, "") }} OR {{ cursor }} IS NULL)
) AS scdc_unusable
CROSS JOIN (
  SELECT
    COUNT(DISTINCT CASE WHEN scdc_change = 'Q' AND NOT {{ cursor }} IS NULL THEN {{ source.key[0] | name if source.key | length == 1 else key_text(source, "") }} END) AS tied_keys,
{{ counted(source) }}
  FROM (
    SELECT
      {{ key_columns(source.key, "") }},
      {{ cursor }},
      scdc_change,
      scdc_claim,
      CASE WHEN scdc_change = 'U' THEN scdc_mask END AS scdc_updated
    FROM {{ relation | name }}
  ) AS scdc_row
) AS scdc_counted
