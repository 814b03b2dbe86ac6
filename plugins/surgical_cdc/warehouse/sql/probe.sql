-- What is staged before the window's end and not applied yet, in some sources. Grain: a source.
-- A key is news unless the newest of its staged versions is in the baseline, or was deleted there, as it is: what is
-- older than that counts as news too, because a detection has to say that it is stale.
-- Names: control, sources (each with its deletion, a predicate). Parameters: for each source window end, window start
-- (NULL: no bound), window end again.
{% from "comparison.jinja" import same %}
{% from "key.jinja" import kept_key, key_columns, null_key_part, same_key %}
{% from "window.jinja" import in_window, waiting %}
{% for source, deletion in sources %}
{% set cursor = source.cursor | name %}
SELECT
  '{{ source.name }}'::VARCHAR(64) AS source_name,
  scdc_counted.rows_compared,
  scdc_counted.news,
  scdc_waiting.waiting,
  scdc_waiting.farthest_cursor
FROM (
  SELECT
    COUNT(*) AS rows_compared,
    COUNT(CASE WHEN scdc_key.scdc_newest <> 1 THEN 1 END) AS news
  FROM (
    SELECT
      {{ key_columns(source.key, "scdc_staged") }},
      MAX(
        CASE
          WHEN {{ null_key_part(source.key, "scdc_staged") }} OR scdc_staged.{{ cursor }} IS NULL THEN 2
          WHEN scdc_staged.{{ cursor }} < scdc_baseline.{{ cursor }} THEN 0
{% if source.keeps_tombstones %}
          WHEN scdc_staged.{{ cursor }} < tombstones.deleted_at THEN 0
          WHEN scdc_staged.{{ cursor }} = tombstones.deleted_at AND scdc_staged.scdc_deleted = 0 THEN 0
          WHEN scdc_staged.{{ cursor }} = tombstones.deleted_at AND scdc_baseline.{{ source.key[0] | name }} IS NULL THEN 1
{% endif %}
          WHEN scdc_staged.scdc_deleted = 1 OR scdc_baseline.{{ source.key[0] | name }} IS NULL THEN 2
          WHEN scdc_staged.{{ cursor }} = scdc_baseline.{{ cursor }}
          {% for column in source.columns if column.name != source.cursor and column.name not in source.key or column.look_alike %}
          AND ({{ same(column, "scdc_staged", "scdc_baseline") }})
          {% endfor %}
          THEN 1
          ELSE 2
        END
      ) AS scdc_newest
    FROM (
      SELECT
        {% for column in source.columns %}
        {{ column.name | name }},
        {% endfor %}
        CASE WHEN {{ deletion }} THEN 1 ELSE 0 END AS scdc_deleted
      FROM {{ source.staging | name }}
      WHERE
{{ in_window(source, ()) }}
    ) AS scdc_staged
    LEFT JOIN {{ source.relation | name }} AS scdc_baseline
      ON {{ same_key(source.key, "scdc_baseline", "scdc_staged") }}
{% if source.keeps_tombstones %}
    LEFT JOIN {{ control | name }}.tombstones AS tombstones
      ON tombstones.row_key = {{ kept_key(source, "scdc_staged") }}
      AND tombstones.source_name = '{{ source.name }}'::VARCHAR(64)
{% endif %}
    GROUP BY
      {{ key_columns(source.key, "scdc_staged") }}
  ) AS scdc_key
) AS scdc_counted
CROSS JOIN (
{{ waiting(source, ()) }}) AS scdc_waiting
{% if not loop.last %}
UNION ALL
{% endif %}
{% endfor %}
