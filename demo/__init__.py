"""A demo warehouse: a baseline of vendor data made from a seed, and a feed that plays the upstream's ETL."""
