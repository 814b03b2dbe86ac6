-- A source's change set: how each candidate stands to the baseline, with the new image of its row frozen.
-- Grain: a key (I, U, D, T, N) or a staged row (S, Q). Unchanged rows are left out.
--   I insert, U update, D delete, T touched: only the cursor moved, N deletion of a key that the baseline does not have
--   and no tombstone remembers, S stale: older than the baseline or than the key's deletion, Q quarantined.
-- Names: control, source, buried (whether keys of it have tombstones), candidates, relation, unchanged_mask, touched_mask, full_mask.
{% from "comparison.jinja" import same %}
{% from "key.jinja" import kept_key, key_columns, null_key_part, same_key %}
{% set cursor = source.cursor | name %}
{% set created = "scdc_candidate." ~ (source.created | name) if source.created else "NULL::TIMESTAMP" %}
CREATE TABLE {{ relation | name }}
BACKUP NO
DISTKEY ({{ source.key[0] | name }})
SORTKEY ({{ key_columns(source.key, "") }})
AS
WITH scdc_ties AS (
  SELECT DISTINCT
    {{ key_columns(source.key, "scdc_other") }}
  FROM {{ candidates | name }} AS scdc_newest
  JOIN {{ candidates | name }} AS scdc_other
    ON {{ same_key(source.key, "scdc_other", "scdc_newest") }}
    AND scdc_other.{{ cursor }} = scdc_newest.{{ cursor }}
  WHERE
    scdc_newest.scdc_number = 1
    AND scdc_other.scdc_number > 1
    AND CASE
      WHEN {% for column in source.columns %}({{ same(column, "scdc_other", "scdc_newest") }})
      {{ "" if loop.last else "AND " }}{% endfor %}THEN 0
      ELSE 1
    END = 1
),
scdc_compared AS (
  SELECT
    {% for column in source.columns %}
    scdc_candidate.{{ column.name | name }},
    {% endfor %}
    scdc_candidate.scdc_deleted,
    CASE WHEN {{ created }} = scdc_candidate.{{ cursor }} THEN 'I' WHEN {{ created }} <> scdc_candidate.{{ cursor }} THEN 'U' END AS scdc_claim,
    CASE
      WHEN {{ null_key_part(source.key, "scdc_candidate") }} THEN 'the key {{ source.key | join(", ") }} is NULL'
      WHEN scdc_candidate.{{ cursor }} IS NULL THEN 'the cursor {{ source.cursor }} is NULL'
      WHEN NOT scdc_ties.{{ source.key[0] | name }} IS NULL THEN 'equally new versions of the key differ'
    END AS scdc_reason,
    CASE WHEN scdc_baseline.{{ source.key[0] | name }} IS NULL THEN 0 ELSE 1 END AS scdc_present,
    CASE
      WHEN scdc_candidate.{{ cursor }} < scdc_baseline.{{ cursor }} THEN 1
      WHEN scdc_candidate.{{ cursor }} < tombstones.deleted_at THEN 1
      WHEN scdc_candidate.{{ cursor }} = tombstones.deleted_at AND tombstones.is_void = TRUE THEN 1
      WHEN scdc_candidate.{{ cursor }} = tombstones.deleted_at AND scdc_candidate.scdc_deleted = 0 THEN 1
      ELSE 0
    END AS scdc_stale,
    CASE WHEN scdc_candidate.{{ cursor }} <= tombstones.deleted_at THEN 1 ELSE 0 END AS scdc_buried,
    {% for column in source.columns %}
    CASE WHEN {{ same(column, "scdc_candidate", "scdc_baseline") }} THEN '0' ELSE '1' END{{ " AS scdc_mask" if loop.last else " ||" }}
    {% endfor %}
  FROM {{ candidates | name }} AS scdc_candidate
  LEFT JOIN scdc_ties
    ON {{ same_key(source.key, "scdc_ties", "scdc_candidate") }}
  LEFT JOIN (
    SELECT
      {% for column in source.columns %}
      {{ column.name | name }}{{ "" if loop.last else "," }}
      {% endfor %}
    FROM {{ source.relation | name }} AS scdc_row
    WHERE
      EXISTS (
        SELECT
          1
        FROM {{ candidates | name }} AS scdc_wanted
        WHERE
          {{ same_key(source.key, "scdc_wanted", "scdc_row") }}
      )
  ) AS scdc_baseline
    ON {{ same_key(source.key, "scdc_baseline", "scdc_candidate") }}
  LEFT JOIN {{ control | name }}.tombstones AS tombstones
    ON tombstones.row_key = {{ kept_key(source, "scdc_candidate") }}
    AND tombstones.source_name = {{ "'" ~ source.name ~ "'" if buried else "NULL" }}::VARCHAR(64)
  WHERE
    scdc_candidate.scdc_number = 1
    OR {{ null_key_part(source.key, "scdc_candidate") }}
    OR scdc_candidate.{{ cursor }} IS NULL
    OR NOT scdc_ties.{{ source.key[0] | name }} IS NULL
),
scdc_classified AS (
  SELECT
    {% for column in source.columns %}
    {{ column.name | name }},
    {% endfor %}
    CASE
      WHEN NOT scdc_reason IS NULL THEN 'Q'
      WHEN scdc_stale = 1 THEN 'S'
      WHEN scdc_deleted = 1 AND scdc_present = 1 THEN 'D'
      WHEN scdc_deleted = 1 AND scdc_buried = 0 THEN 'N'
      WHEN scdc_deleted = 1 THEN '-'
      WHEN scdc_present = 0 THEN 'I'
      WHEN scdc_mask = '{{ unchanged_mask }}' THEN '-'
      WHEN scdc_mask = '{{ touched_mask }}' THEN 'T'
      ELSE 'U'
    END AS scdc_change,
    scdc_mask,
    scdc_claim,
    scdc_reason
  FROM scdc_compared
)
SELECT
  scdc_change::VARCHAR(1) AS scdc_change,
  CASE WHEN scdc_change IN ('I', 'D', 'N') THEN '{{ full_mask }}' ELSE scdc_mask END::VARCHAR({{ source.columns | length }}) AS scdc_mask,
  scdc_claim::VARCHAR(1) AS scdc_claim,
  scdc_reason::VARCHAR(256) AS scdc_reason,
  {% for column in source.columns %}
  {{ column.name | name }}{{ "" if loop.last else "," }}
  {% endfor %}
FROM scdc_classified
WHERE
  scdc_change <> '-'
