-- Removes the tombstones of keys that a change set inserts again or deletes later. Grain: a key.
-- Names: control, source, relation. Parameters: the source's name.
{% from "key.jinja" import kept_key %}
DELETE FROM {{ control | name }}.tombstones
USING {{ relation | name }} AS scdc_changed
WHERE
  tombstones.source_name = %s::VARCHAR(64)
  AND tombstones.row_key = {{ kept_key(source, "scdc_changed") }}
  AND scdc_changed.scdc_change IN ('I', 'D', 'N')
