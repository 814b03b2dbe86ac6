-- Adds a column to a table of the engine's own.
-- Names: relation, column, data_type.
ALTER TABLE {{ relation | name }} ADD COLUMN {{ column | name }} {{ data_type }}
