-- Leaves in a change set the rows in which one column changed; of the key, those that come or go.
-- Names: source, relation, column, position (of the column, from 1).
DELETE FROM {{ relation | name }}
WHERE
{% if column in source.key %}
  NOT scdc_change IN ('I', 'D')
{% else %}
  scdc_change <> 'U'
  OR SUBSTRING(scdc_mask, {{ position }}, 1) = '0'
{% endif %}
