-- An undo's change set in figures, one row: rows per change type, those that have changed again since as stale, and updates per
-- column by its number.
-- Names: source, relation.
{% from "counted.jinja" import counted %}
SELECT
  COUNT(*) AS rows_compared,
{{ counted(source) }}
FROM (
  SELECT
    scdc_change,
    scdc_claim,
    CASE WHEN scdc_change = 'U' THEN scdc_mask END AS scdc_updated
  FROM {{ relation | name }}
) AS scdc_row
