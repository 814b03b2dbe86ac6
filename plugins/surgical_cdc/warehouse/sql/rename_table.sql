-- Gives a table another name in its schema. Whoever reads the table waits from here until the transaction has ended.
-- Names: relation, new_name.
ALTER TABLE {{ relation | name }} RENAME TO {{ new_name | name }}
