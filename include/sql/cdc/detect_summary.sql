-- A change set in figures, one row: keys compared, rows per change type, disagreements, updates per column.
-- Names: source, candidates, relation.
SELECT
  (
    SELECT
      COUNT(*)
    FROM {{ candidates | name }}
    WHERE
      cdc_number = 1
      AND NOT {{ source.key | name }} IS NULL
      AND NOT {{ source.cursor | name }} IS NULL
  ) AS candidate_keys,
  COUNT(
    DISTINCT CASE
      WHEN cdc_change = 'Q' AND NOT {{ source.cursor | name }} IS NULL THEN {{ source.key | name }}
    END
  ) AS tied_keys,
  COUNT(CASE WHEN cdc_change = 'I' THEN 1 END) AS inserts,
  COUNT(CASE WHEN cdc_change = 'U' THEN 1 END) AS updates,
  COUNT(CASE WHEN cdc_change = 'D' THEN 1 END) AS deletes,
  COUNT(CASE WHEN cdc_change = 'T' THEN 1 END) AS touched,
  COUNT(CASE WHEN cdc_change = 'N' THEN 1 END) AS unknown_deletes,
  COUNT(CASE WHEN cdc_change = 'S' THEN 1 END) AS stale,
  COUNT(CASE WHEN cdc_change = 'Q' THEN 1 END) AS quarantined,
  COUNT(CASE WHEN cdc_change IN ('I', 'U') AND cdc_change <> cdc_claim THEN 1 END) AS disagreements,
  {% for column in source.columns %}
  COUNT(CASE WHEN cdc_change = 'U' AND SUBSTRING(cdc_mask, {{ loop.index }}, 1) = '1' THEN 1 END) AS changed_{{ loop.index }}{{ "" if loop.last else "," }}
  {% endfor %}
FROM {{ relation | name }}
