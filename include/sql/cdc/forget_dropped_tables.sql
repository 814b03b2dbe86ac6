-- Removes tables from the list of scratch tables.
-- Names: control, relations (their number). Parameters: the relations.
DELETE FROM {{ control | name }}.scratch_tables
WHERE
  relation_name IN ({% for _ in relations %}%s{{ "" if loop.last else ", " }}{% endfor %})
