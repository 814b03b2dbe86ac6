-- A source's change set: how each candidate stands to the baseline, with the new image of its row frozen.
-- Grain: a key (I, U, D, T, N) or a staged row (S, Q). Unchanged rows are left out.
--   I insert, U update, D delete, T touched: only the cursor moved, N deletion of a key that the baseline does not have
--   and no tombstone remembers, S stale: older than the baseline or than the key's deletion, Q quarantined.
-- Names: control, source, candidates, relation, unchanged_mask, touched_mask, full_mask.
{% from "comparison.jinja" import same %}
{% set key = source.key | name %}
{% set cursor = source.cursor | name %}
{% set created = "candidate." ~ (source.created | name) if source.created else "NULL::TIMESTAMP" %}
CREATE TABLE {{ relation | name }}
BACKUP NO
DISTKEY ({{ key }})
SORTKEY ({{ key }})
AS
WITH ties AS (
  SELECT DISTINCT
    other.{{ key }} AS cdc_key
  FROM {{ candidates | name }} AS newest
  JOIN {{ candidates | name }} AS other
    ON other.{{ key }} = newest.{{ key }}
    AND other.{{ cursor }} = newest.{{ cursor }}
  WHERE
    newest.cdc_number = 1
    AND other.cdc_number > 1
    AND CASE
      WHEN {% for column in source.columns %}({{ same(column, "other", "newest") }})
      {{ "" if loop.last else "AND " }}{% endfor %}THEN 0
      ELSE 1
    END = 1
),
compared AS (
  SELECT
    {% for column in source.columns %}
    candidate.{{ column.name | name }},
    {% endfor %}
    candidate.cdc_deleted,
    CASE WHEN {{ created }} = candidate.{{ cursor }} THEN 'I' WHEN {{ created }} <> candidate.{{ cursor }} THEN 'U' END AS cdc_claim,
    CASE
      WHEN candidate.{{ key }} IS NULL THEN 'the key {{ source.key }} is NULL'
      WHEN candidate.{{ cursor }} IS NULL THEN 'the cursor {{ source.cursor }} is NULL'
      WHEN NOT ties.cdc_key IS NULL THEN 'equally new versions of the key differ'
    END AS cdc_reason,
    CASE WHEN baseline.{{ key }} IS NULL THEN 0 ELSE 1 END AS cdc_present,
    CASE
      WHEN candidate.{{ cursor }} < baseline.{{ cursor }} THEN 1
      WHEN candidate.{{ cursor }} < tombstones.deleted_at THEN 1
      WHEN candidate.{{ cursor }} = tombstones.deleted_at AND candidate.cdc_deleted = 0 THEN 1
      ELSE 0
    END AS cdc_stale,
    CASE WHEN candidate.{{ cursor }} <= tombstones.deleted_at THEN 1 ELSE 0 END AS cdc_buried,
    {% for column in source.columns %}
    CASE WHEN {{ same(column, "candidate", "baseline") }} THEN '0' ELSE '1' END{{ " AS cdc_mask" if loop.last else " ||" }}
    {% endfor %}
  FROM {{ candidates | name }} AS candidate
  LEFT JOIN ties
    ON ties.cdc_key = candidate.{{ key }}
  LEFT JOIN {{ source.relation | name }} AS baseline
    ON baseline.{{ key }} = candidate.{{ key }}
  LEFT JOIN {{ control | name }}.tombstones AS tombstones
    ON tombstones.row_key = candidate.{{ key }}::VARCHAR(256)
    AND tombstones.source_name = {{ "'" ~ source.name ~ "'" if source.keeps_tombstones else "NULL" }}::VARCHAR(64)
  WHERE
    candidate.cdc_number = 1
    OR candidate.{{ key }} IS NULL
    OR candidate.{{ cursor }} IS NULL
    OR NOT ties.cdc_key IS NULL
),
classified AS (
  SELECT
    {% for column in source.columns %}
    {{ column.name | name }},
    {% endfor %}
    CASE
      WHEN NOT cdc_reason IS NULL THEN 'Q'
      WHEN cdc_stale = 1 THEN 'S'
      WHEN cdc_deleted = 1 AND cdc_present = 1 THEN 'D'
      WHEN cdc_deleted = 1 AND cdc_buried = 0 THEN 'N'
      WHEN cdc_deleted = 1 THEN '-'
      WHEN cdc_present = 0 THEN 'I'
      WHEN cdc_mask = '{{ unchanged_mask }}' THEN '-'
      WHEN cdc_mask = '{{ touched_mask }}' THEN 'T'
      ELSE 'U'
    END AS cdc_change,
    cdc_mask,
    cdc_claim,
    cdc_reason
  FROM compared
)
SELECT
  cdc_change::VARCHAR(1) AS cdc_change,
  CASE WHEN cdc_change IN ('I', 'D', 'N') THEN '{{ full_mask }}' ELSE cdc_mask END::VARCHAR({{ source.columns | length }}) AS cdc_mask,
  cdc_claim::VARCHAR(1) AS cdc_claim,
  cdc_reason::VARCHAR(256) AS cdc_reason,
  {% for column in source.columns %}
  {{ column.name | name }}{{ "" if loop.last else "," }}
  {% endfor %}
FROM classified
WHERE
  cdc_change <> '-'
