-- Drops a column of a table of the engine's own, whose values another has.
-- Names: relation, column.
ALTER TABLE {{ relation | name }} DROP COLUMN {{ column | name }}
