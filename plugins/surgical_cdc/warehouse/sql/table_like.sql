-- A temporary table with the column types of another, so that a value that does not fit there is refused here.
-- Names: table, relation (the other).
CREATE TEMP TABLE {{ table | name }} (LIKE {{ relation | name }})
