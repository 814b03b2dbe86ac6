-- The columns of a table, one row each, of which the last value is the collation; no catalog table has that.
-- Names: relation.
SHOW COLUMNS FROM TABLE {{ relation | name }}
