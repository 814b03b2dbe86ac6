-- The change set that takes back what an attempt did to a source: its rows as they were, from the history. Grain: a key.
--   I insert what was deleted, U and T give back the old image, D delete what was inserted, S stale: changed again since, as far as is known.
-- scdc_void is the cursor up to which versions of the key do not count from then on.
-- Names: source, relation, history, touched_mask, full_mask. Parameters: token.
{% from "comparison.jinja" import same %}
{% from "key.jinja" import key_columns, same_key %}
{% set cursor = source.cursor | name %}
{% set first = source.key[0] | name %}
CREATE TABLE {{ relation | name }}
BACKUP NO
DISTKEY ({{ source.key[0] | name }})
SORTKEY ({{ key_columns(source.key, "") }})
AS
WITH scdc_undone AS (
  SELECT
    *
  FROM {{ history | name }}
  WHERE
    scdc_token = %s::VARCHAR(32)
    AND scdc_change <> 'G'
),
scdc_later AS (
  SELECT DISTINCT
    {{ key_columns(source.key, "scdc_undone") }}
  FROM scdc_undone
  INNER JOIN {{ history | name }} AS scdc_other
    ON {{ same_key(source.key, "scdc_other", "scdc_undone") }}
    AND scdc_other.scdc_token <> scdc_undone.scdc_token
    AND scdc_other.scdc_at > scdc_undone.scdc_at
),
scdc_gaps AS (
  SELECT
    COUNT(*) AS gaps
  FROM {{ history | name }} AS scdc_other
  WHERE
    scdc_other.scdc_change = 'G'
    AND scdc_other.scdc_at > (SELECT MAX(scdc_at) FROM scdc_undone)
),
scdc_compared AS (
  SELECT
    {% for column in source.columns %}
    {% if column.name == source.cursor %}
    CASE WHEN scdc_undone.scdc_change = 'I' THEN scdc_undone.scdc_cursor ELSE scdc_undone.{{ cursor }} END AS {{ cursor }},
    {% else %}
    scdc_undone.{{ column.name | name }},
    {% endif %}
    {% endfor %}
    scdc_undone.scdc_cursor AS scdc_void,
    CASE
      WHEN scdc_gaps.gaps > 0 OR NOT scdc_later.{{ first }} IS NULL THEN 'S'
      WHEN scdc_undone.scdc_change = 'D' AND scdc_baseline.{{ first }} IS NULL THEN 'I'
      WHEN scdc_undone.scdc_change = 'D' THEN 'S'
      WHEN scdc_baseline.{{ cursor }} = scdc_undone.scdc_cursor THEN CASE WHEN scdc_undone.scdc_change = 'I' THEN 'D' ELSE 'U' END
      ELSE 'S'
    END AS scdc_change,
    {% for column in source.columns %}
    CASE WHEN {{ same(column, "scdc_undone", "scdc_baseline") }} THEN '0' ELSE '1' END{{ " AS scdc_mask" if loop.last else " ||" }}
    {% endfor %}
  FROM scdc_undone
  LEFT JOIN {{ source.relation | name }} AS scdc_baseline
    ON {{ same_key(source.key, "scdc_baseline", "scdc_undone") }}
  LEFT JOIN scdc_later
    ON {{ same_key(source.key, "scdc_later", "scdc_undone") }}
  CROSS JOIN scdc_gaps
)
SELECT
  CASE WHEN scdc_change = 'U' AND scdc_mask = '{{ touched_mask }}' THEN 'T' ELSE scdc_change END::VARCHAR(1) AS scdc_change,
  CASE WHEN scdc_change IN ('I', 'D') THEN '{{ full_mask }}' ELSE scdc_mask END::VARCHAR({{ source.columns | length }}) AS scdc_mask,
  NULL::VARCHAR(1) AS scdc_claim,
  NULL::VARCHAR(256) AS scdc_reason,
  scdc_void,
  {% for column in source.columns %}
  {{ column.name | name }}{{ "" if loop.last else "," }}
  {% endfor %}
FROM scdc_compared
