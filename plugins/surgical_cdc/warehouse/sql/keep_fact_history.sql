-- Keeps what an update is about to do to a fact: the old image of each row that it changes or deletes, and the key of each
-- that it inserts. Grain: a row of the fact.
-- Names: fact, columns (those that differ somewhere), null_key (whether NULL is an affected key), history. Parameters: run
-- key, token.
{% from "affected.jinja" import affected_rows %}
{% from "comparison.jinja" import same %}
{% from "key.jinja" import same_key %}
{% set first = fact.unique_key[0] | name %}
INSERT INTO {{ history | name }} (
  {% for column in fact.columns %}
  {{ column.name | name }},
  {% endfor %}
  scdc_run,
  scdc_token,
  scdc_change,
  scdc_columns,
  scdc_at
)
SELECT
  {% for column in fact.columns %}
  {{ column.name | name }},
  {% endfor %}
  %s::VARCHAR(512),
  %s::VARCHAR(32),
  scdc_change,
  CASE WHEN scdc_change = 'U' THEN LTRIM(scdc_columns, ',') END,
  SYSDATE
FROM (
  SELECT
    {% for column in fact.columns %}
    {% if column.name in fact.unique_key %}
    COALESCE(scdc_existing.{{ column.name | name }}, scdc_recomputed.{{ column.name | name }}) AS {{ column.name | name }},
    {% else %}
    scdc_existing.{{ column.name | name }},
    {% endif %}
    {% endfor %}
    CASE
      WHEN scdc_existing.{{ first }} IS NULL THEN 'I'
      WHEN scdc_recomputed.{{ first }} IS NULL THEN 'D'
      ELSE 'U'
    END AS scdc_change,
    {% for column in columns %}
    CASE WHEN {{ same(column, "scdc_existing", "scdc_recomputed") }} THEN '' ELSE ',{{ column.name }}' END{{ "" if loop.last else " ||" }}
    {% else %}
    ''
    {% endfor %} AS scdc_columns
  FROM scdc_recomputed
  FULL JOIN (
{{ affected_rows(fact, "*", null_key) }}
  ) AS scdc_existing
    ON {{ same_key(fact.unique_key, "scdc_existing", "scdc_recomputed") }}
) AS scdc_row
WHERE
  scdc_change <> 'U'
  OR scdc_columns <> ''
