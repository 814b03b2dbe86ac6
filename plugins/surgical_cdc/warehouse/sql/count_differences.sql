-- How many rows would be inserted into the fact, deleted and updated, and in how many of these each column differs; one row.
-- Names: fact, columns, exact (those of them in which equal values that can be told apart differ), null_key (whether NULL is
-- an affected key), same_rows (whether no row can come or go).
{% from "comparison.jinja" import alike %}
{% from "affected.jinja" import affected_rows %}
{% from "key.jinja" import key_columns, same_key %}
{% set existing_columns %}
{{ key_columns(fact.unique_key, "") }}{% for column in columns if column.name not in fact.unique_key %}, {{ column.name | name }}{% endfor %}
{% endset %}
SELECT
  COUNT(scdc_inserted) AS inserted,
  COUNT(scdc_deleted) AS deleted,
  {% if columns %}
  COUNT(CASE WHEN {% for column in columns %}scdc_differs_{{ loop.index }}{{ "" if loop.last else " + " }}{% endfor %} > 0 THEN 1 END) AS updated,
  {% for column in columns %}
  COALESCE(SUM(scdc_differs_{{ loop.index }}), 0) AS cells_{{ loop.index }}{{ "" if loop.last else "," }}
  {% endfor %}
  {% else %}
  0 AS updated
  {% endif %}
FROM (
  SELECT
    CASE WHEN scdc_existing.{{ fact.unique_key[0] | name }} IS NULL THEN 1 END AS scdc_inserted,
    CASE WHEN scdc_recomputed.{{ fact.unique_key[0] | name }} IS NULL THEN 1 END AS scdc_deleted{{ "," if columns }}
    {% for column in columns %}
    CASE
      WHEN scdc_existing.{{ fact.unique_key[0] | name }} IS NULL OR scdc_recomputed.{{ fact.unique_key[0] | name }} IS NULL THEN 0
      WHEN {{ alike(column, "scdc_existing", "scdc_recomputed", exact) }} THEN 0
      ELSE 1
    END AS scdc_differs_{{ loop.index }}{{ "" if loop.last else "," }}
    {% endfor %}
  FROM scdc_recomputed
  {% if same_rows %}
  INNER JOIN {{ fact.relation | name }} AS scdc_existing
  {% else %}
  FULL JOIN (
{{ affected_rows(fact, existing_columns | trim, null_key) }}
  ) AS scdc_existing
  {% endif %}
    ON {{ same_key(fact.unique_key, "scdc_existing", "scdc_recomputed") }}
) AS scdc_row
