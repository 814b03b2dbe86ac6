-- Empties a table; TRUNCATE would commit the transaction.
-- Names: relation.
DELETE FROM {{ relation | name }}
