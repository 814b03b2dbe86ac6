-- Keeps other runs from the lease until the transaction ends; first statement of its transaction.
-- Names: control.
LOCK TABLE {{ control | name }}.lease
