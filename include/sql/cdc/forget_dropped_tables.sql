-- Removes tables from the list of scratch tables.
-- Names: relations (their number). Parameters: the relations.
DELETE FROM cdc.scratch_tables
WHERE
  relation_name IN ({% for _ in relations %}%s{{ "" if loop.last else ", " }}{% endfor %})
