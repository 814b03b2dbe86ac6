-- The newest staged versions of each key of which that is not applied, with copies and ties, and every row without key or
-- cursor. What is applied is left out before anything is sorted.
-- Grain: a staged row. scdc_number is 1 for one version of each key, which stands for it unless another one ties with it.
-- Names: source, deletion (a predicate), candidates, staged (detect_keys.sql), keys (their
-- number; none: all). Parameters: window end, window start (NULL: no bound), keys.
{% from "key.jinja" import key_columns, null_key_part, same_key %}
{% from "window.jinja" import in_window %}
CREATE TEMP TABLE {{ candidates | name }}
DISTKEY ({{ source.key[0] | name }})
AS
SELECT
  {% for column in source.columns %}
  {{ column.name | name }},
  {% endfor %}
  scdc_deleted,
  scdc_number
FROM (
  SELECT
    {% for column in source.columns %}
    scdc_staged.{{ column.name | name }},
    {% endfor %}
    scdc_staged.scdc_deleted,
    ROW_NUMBER() OVER (
      PARTITION BY {{ key_columns(source.key, "scdc_staged") }}
      ORDER BY scdc_staged.{{ source.cursor | name }} DESC NULLS LAST
    ) AS scdc_number,
    RANK() OVER (
      PARTITION BY {{ key_columns(source.key, "scdc_staged") }}
      ORDER BY scdc_staged.{{ source.cursor | name }} DESC NULLS LAST
    ) AS scdc_rank
  FROM (
    SELECT
      {% for column in source.columns %}
      {{ column.name | name }},
      {% endfor %}
      CASE WHEN {{ deletion }} THEN 1 ELSE 0 END AS scdc_deleted
    FROM {{ source.staging | name }}
    WHERE
{{ in_window(source, keys) }}
  ) AS scdc_staged
  LEFT JOIN {{ staged | name }} AS scdc_key
    ON {{ same_key(source.key, "scdc_key", "scdc_staged") }}
  WHERE
    scdc_key.scdc_newest IN (0, 2)
    OR {{ null_key_part(source.key, "scdc_staged") }}
) AS scdc_ranked
WHERE
  scdc_rank = 1
  OR {{ null_key_part(source.key, "") }}
  OR {{ source.cursor | name }} IS NULL
