-- Gives a column of a table of the engine's own another name.
-- Names: relation, column, new_name.
ALTER TABLE {{ relation | name }} RENAME COLUMN {{ column | name }} TO {{ new_name | name }}
