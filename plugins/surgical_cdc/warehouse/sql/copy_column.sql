-- Copies the values of one column of a table into another that can hold them.
-- Names: relation, column, from_column.
UPDATE {{ relation | name }}
SET
  {{ column | name }} = {{ from_column | name }}
