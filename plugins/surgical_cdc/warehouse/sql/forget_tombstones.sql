-- Removes the tombstones of keys that a change set inserts again or deletes later, or changes in any way. Grain: a key.
-- Names: control, source, relation, changes (those that do). Parameters: the source's name.
{% from "key.jinja" import kept_key %}
DELETE FROM {{ control | name }}.tombstones
USING {{ relation | name }} AS scdc_changed
WHERE
  tombstones.source_name = %s::VARCHAR(64)
  AND tombstones.row_key = {{ kept_key(source, "scdc_changed") }}
  AND scdc_changed.scdc_change IN ({% for change in changes %}'{{ change }}'{{ "" if loop.last else ", " }}{% endfor %})
