-- Gives a table to another owner, with what its owner may do.
-- Names: relation, owner (quoted).
ALTER TABLE {{ relation | name }} OWNER TO {{ owner }}
