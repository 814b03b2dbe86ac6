-- Adds a column that a source has gained to its quarantine table.
-- Names: relation, column, data_type.
ALTER TABLE {{ relation | name }} ADD COLUMN {{ column | name }} {{ data_type }}
