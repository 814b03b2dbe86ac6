-- Up to five keys of an undo's change set that have changed again since.
-- Names: source, relation.
{% from "key.jinja" import shown_key %}
SELECT
  {{ shown_key(source.key, "scdc_row") }} AS source_key
FROM {{ relation | name }} AS scdc_row
WHERE
  scdc_change = 'S'
ORDER BY
  1
LIMIT 5
