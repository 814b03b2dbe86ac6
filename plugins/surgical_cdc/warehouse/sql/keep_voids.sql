-- Remembers up to which version the keys of an undo's change set do not count, so that what is staged of them is not applied
-- again. Grain: a key.
-- Names: control, source, relation. Parameters: the source's name.
{% from "key.jinja" import kept_key %}
INSERT INTO {{ control | name }}.tombstones (
  source_name,
  row_key,
  deleted_at,
  is_void
)
SELECT
  %s::VARCHAR(64),
  {{ kept_key(source, "") }},
  scdc_void,
  TRUE
FROM {{ relation | name }}
WHERE
  scdc_change IN ('I', 'U', 'D', 'T')
