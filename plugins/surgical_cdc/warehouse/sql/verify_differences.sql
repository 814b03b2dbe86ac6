-- Up to five rows in which a fact and its query differ: the row key, what it is, and the columns that differ. Grain: a row key.
-- Names: fact, exact (names of its columns in which equal values that can be told apart differ).
{% from "comparison.jinja" import alike %}
{% from "key.jinja" import same_key, shown_key %}
{% set first = fact.unique_key[0] | name %}
SELECT
  CASE
    WHEN scdc_existing.{{ first }} IS NULL THEN {{ shown_key(fact.unique_key, "scdc_expected") }}
    ELSE {{ shown_key(fact.unique_key, "scdc_existing") }}
  END AS row_key,
  CASE
    WHEN scdc_existing.{{ first }} IS NULL THEN 'missing'
    WHEN scdc_expected.{{ first }} IS NULL THEN 'unexpected'
    ELSE LTRIM({% for column in fact.columns %}
CASE WHEN {{ alike(column, "scdc_existing", "scdc_expected", exact) }} THEN '' ELSE ',{{ column.name }}' END{{ "" if loop.last else " || " }}
    {%- endfor %}, ',')
  END AS difference
FROM {{ fact.relation | name }} AS scdc_existing
FULL JOIN scdc_expected
  ON {{ same_key(fact.unique_key, "scdc_existing", "scdc_expected") }}
WHERE
  scdc_existing.{{ first }} IS NULL
  OR scdc_expected.{{ first }} IS NULL
  {% for column in fact.columns %}
  OR CASE WHEN {{ alike(column, "scdc_existing", "scdc_expected", exact) }} THEN 0 ELSE 1 END = 1
  {% endfor %}
ORDER BY
  1
LIMIT 5
