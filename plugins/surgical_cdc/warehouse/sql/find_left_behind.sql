-- What earlier runs have left behind: facts with keys that wait for a sync, and sources with undone versions. Grain: either.
-- Names: control, pending (fact -> relation).
SELECT DISTINCT
  'voided'::VARCHAR(16) AS what,
  source_name AS name
FROM {{ control | name }}.tombstones
WHERE
  is_void = TRUE
{% for fact, relation in pending.items() %}
UNION ALL
SELECT
  'pending'::VARCHAR(16) AS what,
  '{{ fact }}'::VARCHAR(64) AS name
FROM {{ relation | name }}
HAVING
  COUNT(*) > 0
{% endfor %}
