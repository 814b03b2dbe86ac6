-- Lets one update of a fact work at a time; first statement of its transaction, so that it sees what the last one did.
-- Names: pending.
LOCK TABLE {{ pending | name }}
