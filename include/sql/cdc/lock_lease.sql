-- Keeps other runs from the lease until the transaction ends; first statement of its transaction.
LOCK TABLE cdc.lease
