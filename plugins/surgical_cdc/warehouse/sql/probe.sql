-- What is staged before the window's end and not applied yet, in some sources. Grain: a source.
-- A key is news unless the newest of its staged versions is in the baseline, or was deleted there, as it is: what is
-- older than that counts as news too, because a detection has to say that it is stale.
-- Names: control, sources (each with its deletion, a predicate, and whether keys of it have tombstones). Parameters: for each source window end, window start
-- (NULL: no bound), window end again.
{% from "applied.jinja" import staged_keys %}
{% from "window.jinja" import waiting %}
{% for source, deletion, buried in sources %}
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
{{ staged_keys(control, source, deletion, (), buried) | indent(4, true) }}
  ) AS scdc_key
) AS scdc_counted
CROSS JOIN (
{{ waiting(source, ()) }}) AS scdc_waiting
{% if not loop.last %}
UNION ALL
{% endif %}
{% endfor %}
